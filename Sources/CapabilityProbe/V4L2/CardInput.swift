/// The input of a capture card, before capturing starts.
package enum CardInput {
    /// The mode of a card if no other is requested.
    package struct Arriving: Sendable, Hashable {
        package var mode: CaptureMode
        /// Whether the incoming signal determines the size, and not the request.
        package var decides: Bool

        package init(_ mode: CaptureMode, decides: Bool) {
            self.mode = mode
            self.decides = decides
        }
    }

    /// Sets a card's input to the timings of the incoming signal, if it has timings. Call this only while no program
    /// captures.
    ///
    /// - Returns: The modes of the card with its present input, and the current mode if the card reports it. `nil` if
    ///   the card cannot be asked.
    package static func prepare(_ path: String) -> (modes: [CaptureMode], now: Arriving?)? {
        guard let node = try? V4L2Node(path) else { return nil }
        let decides = node.adoptTimings()
        return (node.modes(), node.current().map { Arriving($0, decides: decides) })
    }

    /// The field order of frames of a size, according to the driver. `nil` for progressive frames. Drivers of USB cards
    /// do not report it.
    package static func fieldOrder(_ path: String, width: Int, height: Int) -> FieldOrder? {
        guard let node = try? V4L2Node(path) else { return nil }
        return node.fieldOrder(width: width, height: height)
    }
}
