/// Why an encoder does not work on this box.
package struct FailureReason: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringInterpolation {
    package enum Kind: Sendable, Hashable {
        /// The reason is the device, its driver, or the group's settings.
        case device
        /// FFmpeg refuses an option of the encoder. The device works.
        case refusedOption
    }

    /// A sentence for display, with the fix.
    package var sentence: String
    package var kind: Kind

    package init(_ sentence: String, kind: Kind = .device) {
        self.sentence = sentence
        self.kind = kind
    }

    package init(stringLiteral sentence: String) { self.init(sentence) }

    package var description: String { sentence }
}
