package import MPEGTS

/// The audio format in an `AudioSpecificConfig` (ISO/IEC 14496-3, 1.6.2.1).
package struct AudioFormat: Sendable, Hashable {
    /// `audioObjectType` of the core: 2 is AAC-LC. HE-AAC has a core of AAC-LC at half of its rate.
    package private(set) var objectType: Int
    /// Samples a second of the core, 1…192,000.
    package private(set) var sampleRate: Int
    /// `channelConfiguration`, 0…15; 0 if the channels are listed elsewhere.
    package private(set) var channelConfiguration: Int
    /// Whether spectral band replication was announced (HE-AAC). A stream may contain it even if it was not announced.
    package private(set) var hasSBR = false
    /// Whether parametric stereo was announced (HE-AAC v2).
    package private(set) var hasPS = false
    /// The number of samples of the core in a frame.
    package private(set) var samplesPerFrame = 1024

    /// - Returns: `nil` if the bytes are not an `AudioSpecificConfig`.
    init?(specificConfig bytes: Bytes) {
        var bits = BitReader(bytes.prefix(64))
        objectType = Self.readObjectType(&bits)
        sampleRate = Self.readSampleRate(&bits)
        channelConfiguration = bits.read(4)
        // Hierarchical explicit signalling: the extension first, and then its core.
        let isExplicit = objectType == 5 || objectType == 29
        if isExplicit {
            hasSBR = true
            hasPS = objectType == 29
            _ = Self.readSampleRate(&bits)
            objectType = Self.readObjectType(&bits)
            if objectType == 22 { bits.skip(4) }
        }
        let isGeneral = [1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23].contains(objectType)
        if isGeneral, !bits.isExhausted { readGeneral(&bits) }
        guard objectType > 0, (1...192_000).contains(sampleRate), !bits.isExhausted else { return nil }
        if isGeneral, !isExplicit, channelConfiguration != 0 { readExtension(&bits) }
    }

    private static func readObjectType(_ bits: inout BitReader) -> Int {
        let type = bits.read(5)
        return type == 31 ? 32 + bits.read(6) : type
    }

    /// - Returns: 0 for a reserved index.
    private static func readSampleRate(_ bits: inout BitReader) -> Int {
        let index = bits.read(4)
        if index == 15 { return bits.read(24) }
        return index < ADTS.sampleRates.count ? Int(ADTS.sampleRates[index]) : 0
    }

    /// Reads the `GASpecificConfig` (ISO/IEC 14496-3, 4.4.1), up to the list of channels.
    private mutating func readGeneral(_ bits: inout BitReader) {
        if bits.read(1) == 1 { samplesPerFrame = 960 }
        if bits.read(1) == 1 { bits.skip(14) }
        let hasExtension = bits.read(1) == 1
        guard channelConfiguration != 0 else { return }
        if objectType == 6 || objectType == 20 { bits.skip(3) }
        guard hasExtension else { return }
        if objectType == 22 { bits.skip(16) }
        if [17, 19, 20, 23].contains(objectType) { bits.skip(3) }
        bits.skip(1)
    }

    /// Reads the backward compatible form of explicit signalling, which older decoders do not see: the extension after
    /// its core. If there is none, zeros or the end follow.
    private mutating func readExtension(_ bits: inout BitReader) {
        guard bits.read(11) == 0x2B7, Self.readObjectType(&bits) == 5, bits.read(1) == 1 else { return }
        hasSBR = true
        _ = Self.readSampleRate(&bits)
        hasPS = bits.read(11) == 0x548 && bits.read(1) == 1
    }

    /// The format that a channel uses: HE-AAC if the header announces it, otherwise that of the core.
    package var aac: AACFormat {
        let type = objectType == 2 && hasPS ? 29 : objectType == 2 && hasSBR ? 5 : objectType
        return AACFormat(
            objectType: UInt8(type), sampleRate: sampleRate, channelConfiguration: UInt8(channelConfiguration))
    }

    // MARK: ADTS

    /// Whether an ADTS header can describe the format: its profile has two bits, its rate is one of thirteen, and its
    /// frames have 1024 samples (ISO/IEC 14496-3, 1.A.2.2). Channels that are listed elsewhere would have to be listed
    /// in the stream.
    package var fitsADTS: Bool {
        (1...4).contains(objectType) && rateIndex != nil && (1...7).contains(channelConfiguration)
            && samplesPerFrame == 1024
    }

    private var rateIndex: Int? { ADTS.sampleRates.firstIndex(of: Int64(sampleRate)) }

    /// The duration of a frame in ticks of 90 kHz, rounded down.
    var frameDuration: Int64 { Int64(samplesPerFrame) * Ticks.perSecond / Int64(sampleRate) }

    /// The size of an ADTS header without a checksum, in bytes.
    static let headerSize = 7
    /// The largest size of a frame after its ADTS header, in bytes: `aac_frame_length` has 13 bits.
    static let largestFrame = 8191 - headerSize

    /// A two-byte `AudioSpecificConfig` with the contents of the ADTS header (ISO/IEC 14496-3, 1.6.2.1).
    ///
    /// - Precondition: ``fitsADTS``
    var plainConfig: UInt16 {
        guard let rateIndex else { preconditionFailure("the rate has no index") }
        return UInt16(objectType) << 11 | UInt16(rateIndex) << 7 | UInt16(channelConfiguration) << 3
    }

    /// The ADTS header of a frame (ISO/IEC 14496-3, 1.A.2.2) in 56 bits, with the first byte in the highest bits.
    ///
    /// - Precondition: ``fitsADTS``
    ///
    /// - Parameter size: The size of the frame in bytes, up to ``largestFrame``.
    func header(size: Int) -> UInt64 {
        guard let rateIndex else { preconditionFailure("the rate has no index") }
        let length = UInt64(size + Self.headerSize)
        var header: UInt64 = 0xFFF1 << 40
        header |= UInt64(objectType - 1) << 38
        header |= UInt64(rateIndex) << 34
        header |= UInt64(channelConfiguration) << 30
        header |= length << 13
        // The bit rate varies (`adts_buffer_fullness`), and one frame follows the header.
        return header | 0x7FF << 2
    }
}
