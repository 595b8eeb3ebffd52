/// The format of AAC audio, from the header of each frame (ISO/IEC 13818-7, 6.2), or from a publisher's announcement,
/// which can say more.
package struct AACFormat: Sendable, Hashable, CustomStringConvertible {
    /// `audioObjectType`, 1…95: 2 is AAC-LC. 5 and 29 are HE-AAC and HE-AAC v2 if that was announced; in ADTS they look
    /// like their core.
    package let objectType: UInt8
    /// `channelConfiguration`, 0…15; 0 if the channels are listed elsewhere.
    package let channelConfiguration: UInt8
    /// Samples a second of the core, 1…192,000.
    package let sampleRate: Int

    package init(objectType: UInt8 = 2, sampleRate: Int, channelConfiguration: UInt8) {
        self.objectType = objectType
        self.sampleRate = sampleRate
        self.channelConfiguration = channelConfiguration
    }

    /// AAC-LC, 48 kHz, stereo.
    package static let stereo48 = AACFormat(sampleRate: 48_000, channelConfiguration: 2)
    /// AAC-LC, 44.1 kHz, stereo.
    package static let stereo44 = AACFormat(sampleRate: 44_100, channelConfiguration: 2)

    /// Whether every platform accepts the format. There are frames of silence for these formats.
    package var isPlain: Bool { self == .stereo48 || self == .stereo44 }

    /// The number of channels of the core; `nil` if they are listed elsewhere or have no number (ISO/IEC 14496-3, table
    /// 1.19).
    package var channels: Int? {
        switch channelConfiguration {
        case 1...6: Int(channelConfiguration)
        case 7, 12, 14: 8
        case 11: 7
        default: nil
        }
    }

    /// `AAC-LC`, for people.
    package var profile: String {
        switch objectType {
        case 1: "AAC Main"
        case 2: "AAC-LC"
        case 3: "AAC-SSR"
        case 4: "AAC-LTP"
        case 5: "HE-AAC"
        case 23: "AAC-LD"
        case 29: "HE-AAC v2"
        case 39: "AAC-ELD"
        case 42: "xHE-AAC"
        default: "AAC with object type \(objectType)"
        }
    }

    /// `44.1 kHz mono`
    package var description: String {
        let layout =
            switch channels {
            case 1?: "mono"
            case 2?: "stereo"
            case let channels?: "with \(channels) channels"
            case nil: "with its own channel layout"
            }
        return "\(kilohertz) kHz \(layout)"
    }

    private var kilohertz: String {
        let (whole, rest) = sampleRate.quotientAndRemainder(dividingBy: 1000)
        guard rest > 0 else { return "\(whole)" }
        var digits = "\(1000 + rest)".dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
