/// The codec of a publisher's video. A feed can carry only ``h264`` and ``hevc``.
package enum VideoCoding: Sendable, Hashable, CustomStringConvertible {
    case h264, hevc
    case sorenson, screenVideo, vp6, vp6Alpha, screenVideo2
    case av1, vp8, vp9, vvc
    /// Several tracks in one message, or an extension of Enhanced RTMP that was not offered to the publisher.
    case multitrack
    /// An undefined `CodecID` of FLV.
    case number(UInt8)
    /// Another codec, by its FourCC.
    case fourCC(UInt32)

    /// The codec of a `CodecID` of FLV (Adobe FLV 10.1, E.4.3.1). 12 is not in the standard: some encoders use it for
    /// HEVC.
    init(number: UInt8) {
        self =
            switch number {
            case 2: .sorenson
            case 3: .screenVideo
            case 4: .vp6
            case 5: .vp6Alpha
            case 6: .screenVideo2
            case 7: .h264
            case 12: .hevc
            default: .number(number)
            }
    }

    /// The codec of a FourCC of Enhanced RTMP (v2, "Enhanced Video").
    init(fourCC: UInt32) {
        self =
            switch fourCC {
            case 0x6176_6331: .h264  // avc1
            case 0x6876_6331: .hevc  // hvc1
            case 0x6176_3031: .av1  // av01
            case 0x7670_3038: .vp8  // vp08
            case 0x7670_3039: .vp9  // vp09
            case 0x7676_6331: .vvc  // vvc1
            default: .fourCC(fourCC)
            }
    }

    package var description: String {
        switch self {
        case .h264: "H.264"
        case .hevc: "HEVC"
        case .sorenson: "Sorenson H.263"
        case .screenVideo: "Screen video"
        case .vp6: "VP6"
        case .vp6Alpha: "VP6 with alpha channel"
        case .screenVideo2: "Screen video version 2"
        case .av1: "AV1"
        case .vp8: "VP8"
        case .vp9: "VP9"
        case .vvc: "VVC"
        case .multitrack: "several video tracks"
        case .number(let number): "video codec \(number)"
        case .fourCC(let code): "video codec \(FourCC.text(code))"
        }
    }
}

/// Four characters as a big-endian number.
package enum FourCC {
    /// The characters, with `?` for each one that is not printable: any client can send them.
    package static func text(_ code: UInt32) -> String {
        String(
            (0..<4).map { index in
                let byte = UInt8(truncatingIfNeeded: code >> (24 - 8 * UInt32(index)))
                return (0x21...0x7E).contains(byte) ? Character(UnicodeScalar(byte)) : "?"
            })
    }
}
