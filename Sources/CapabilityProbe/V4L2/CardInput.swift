/// The input of a card, before it is captured from.
public enum CardInput {
    /// What a card gives now when nothing else is asked for.
    public struct Arriving: Sendable, Hashable {
        public var mode: CaptureMode
        /// What arrives decides the size, and not what is asked for.
        public var decides: Bool

        public init(_ mode: CaptureMode, decides: Bool) {
            self.mode = mode
            self.decides = decides
        }
    }

    /// Sets a card's input to the timings of what arrives, where it has such; to be done while nobody captures.
    ///
    /// - Returns: What the card gives now; `nil` where it does not say.
    public static func prepare(_ path: String) -> Arriving? {
        guard let node = try? V4L2Node(path) else { return nil }
        let decides = node.adoptTimings()
        return node.current().map { Arriving($0, decides: decides) }
    }
}
