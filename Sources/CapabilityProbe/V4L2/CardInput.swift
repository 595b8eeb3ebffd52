/// The input of a card, before it is captured from.
package enum CardInput {
    /// What a card gives now when nothing else is asked for.
    package struct Arriving: Sendable, Hashable {
        package var mode: CaptureMode
        /// What arrives decides the size, and not what is asked for.
        package var decides: Bool

        package init(_ mode: CaptureMode, decides: Bool) {
            self.mode = mode
            self.decides = decides
        }
    }

    /// Sets a card's input to the timings of what arrives, where it has such; to be done while nobody captures.
    ///
    /// - Returns: What the card can do with its input as it is, and what it gives now where it says so; `nil` where it
    ///   cannot be asked.
    package static func prepare(_ path: String) -> (modes: [CaptureMode], now: Arriving?)? {
        guard let node = try? V4L2Node(path) else { return nil }
        let decides = node.adoptTimings()
        return (node.modes(), node.current().map { Arriving($0, decides: decides) })
    }

    /// Which fields the frames of a size have, by the driver's word; `nil` for frames that have none. Drivers of USB
    /// cards say nothing of it.
    package static func fieldOrder(_ path: String, width: Int, height: Int) -> FieldOrder? {
        guard let node = try? V4L2Node(path) else { return nil }
        return node.fieldOrder(width: width, height: height)
    }
}
