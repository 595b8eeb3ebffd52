/// Why an encoder does not work on this box.
public struct FailureReason: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringInterpolation {
    public enum Kind: Sendable, Hashable {
        /// The device, its driver, or what the group asks of it.
        case device
        /// FFmpeg refuses an option of the encoder. The device works.
        case refusedOption
    }

    /// For people, with what to do.
    public var sentence: String
    public var kind: Kind

    public init(_ sentence: String, kind: Kind = .device) {
        self.sentence = sentence
        self.kind = kind
    }

    public init(stringLiteral sentence: String) { self.init(sentence) }

    public var description: String { sentence }
}
