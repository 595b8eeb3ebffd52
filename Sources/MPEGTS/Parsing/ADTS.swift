/// AAC frames in ADTS (ISO/IEC 13818-7, 6.2).
package enum ADTS {
    /// Sample rates by `sampling_frequency_index` (table 35).
    package static let sampleRates: [Int64] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
    ]

    /// A run of whole frames.
    struct Run: Hashable {
        /// The duration in ticks.
        var duration: Int64
        /// The format that their headers state; `nil` if the headers differ.
        var format: AACFormat?
    }

    /// Reads the headers of the frames; `nil` if the first bytes are not ADTS.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Run? {
        var position = 0
        var samples: Int64 = 0
        var sampleRate: Int64 = 48_000
        // Profile, rate and channels, in the bits of the first header.
        var first: UInt16?
        var isMixed = false
        while position + 7 <= bytes.count {
            guard bytes[position] == 0xFF, bytes[position + 1] & 0xF6 == 0xF0 else { break }
            let rate = Int(bytes[position + 2] >> 2 & 0x0F)
            let length =
                Int(bytes[position + 3] & 3) << 11 | Int(bytes[position + 4]) << 3 | Int(bytes[position + 5]) >> 5
            guard rate < sampleRates.count, length >= 7 else { break }
            let blocks = Int64(bytes[position + 6] & 3) + 1
            let fields = (UInt16(bytes[position + 2]) << 8 | UInt16(bytes[position + 3])) & 0xFDC0
            if let first { isMixed = isMixed || fields != first } else { first = fields }
            samples += blocks * 1024
            sampleRate = sampleRates[rate]
            position += length
        }
        guard let first else { return nil }
        return Run(duration: samples * Ticks.perSecond / sampleRate, format: isMixed ? nil : format(first))
    }

    private static func format(_ fields: UInt16) -> AACFormat {
        AACFormat(
            objectType: UInt8(fields >> 14) + 1, sampleRate: Int(sampleRates[Int(fields >> 10 & 0x0F)]),
            channelConfiguration: UInt8(fields >> 6 & 7))
    }

    /// One frame of silence: AAC-LC, 48 kHz, stereo, with its ADTS header. FFmpeg's encoder produces these bytes for
    /// `anullsrc`.
    static let silence: [UInt8] = [0xFF, 0xF1, 0x4C, 0x80, 0x01, 0xBF, 0xFC, 0x21, 0x10, 0x04, 0x60, 0x8C, 0x1C]
    /// The same at 44.1 kHz.
    static let silence44: [UInt8] = [0xFF, 0xF1, 0x50, 0x80, 0x01, 0xBF, 0xFC, 0x21, 0x10, 0x04, 0x60, 0x8C, 0x1C]
}
