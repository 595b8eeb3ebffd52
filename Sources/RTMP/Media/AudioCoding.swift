/// The codec of a publisher's audio. A feed can carry only ``aac``, so the service converts other codecs.
package enum AudioCoding: Sendable, Hashable, CustomStringConvertible {
    case aac
    case pcm, pcmLittleEndian, adpcm
    case mp3
    case nellymoser
    case aLaw, muLaw
    case speex
    case opus, ac3, eac3, flac
    case deviceSpecific
    /// Several tracks in one message, or an extension of Enhanced RTMP that was not offered to the publisher.
    case multitrack
    /// An undefined `SoundFormat` of FLV.
    case number(UInt8)
    /// Another codec, by its FourCC.
    case fourCC(UInt32)

    /// The codec of a `SoundFormat` of FLV (Adobe FLV 10.1, E.4.2.1).
    init(number: UInt8) {
        self =
            switch number {
            case 0: .pcm
            case 1: .adpcm
            case 2, 14: .mp3
            case 3: .pcmLittleEndian
            case 4, 5, 6: .nellymoser
            case 7: .aLaw
            case 8: .muLaw
            case 10: .aac
            case 11: .speex
            case 15: .deviceSpecific
            default: .number(number)
            }
    }

    /// The codec of a FourCC of Enhanced RTMP (v2, "Enhanced Audio").
    init(fourCC: UInt32) {
        self =
            switch fourCC {
            case 0x6D70_3461: .aac  // mp4a
            case 0x4F70_7573: .opus  // Opus
            case 0x6163_2D33: .ac3  // ac-3
            case 0x6563_2D33: .eac3  // ec-3
            case 0x2E6D_7033: .mp3  // .mp3
            case 0x664C_6143: .flac  // fLaC
            default: .fourCC(fourCC)
            }
    }

    /// FFmpeg's name of the codec; `nil` if FFmpeg cannot read it from FLV. FFmpeg assumes the byte order of its own
    /// machine for PCM without a stated byte order.
    package var nameInFFmpeg: String? {
        switch self {
        case .aac: "aac"
        case .pcm, .pcmLittleEndian: "pcm_s16le"
        case .adpcm: "adpcm_swf"
        case .mp3: "mp3"
        case .nellymoser: "nellymoser"
        case .aLaw: "pcm_alaw"
        case .muLaw: "pcm_mulaw"
        case .speex: "speex"
        case .opus: "opus"
        case .ac3: "ac3"
        case .eac3: "eac3"
        case .flac: "flac"
        case .deviceSpecific, .multitrack, .number, .fourCC: nil
        }
    }

    package var description: String {
        switch self {
        case .aac: "AAC"
        case .pcm: "PCM"
        case .pcmLittleEndian: "PCM, little endian"
        case .adpcm: "ADPCM"
        case .mp3: "MP3"
        case .nellymoser: "Nellymoser"
        case .aLaw: "PCM A-law"
        case .muLaw: "PCM µ-law"
        case .speex: "Speex"
        case .opus: "Opus"
        case .ac3: "AC-3"
        case .eac3: "E-AC-3"
        case .flac: "FLAC"
        case .deviceSpecific: "device-specific audio"
        case .multitrack: "several audio tracks"
        case .number(let number): "audio codec \(number)"
        case .fourCC(let code): "audio codec \(FourCC.text(code))"
        }
    }
}
