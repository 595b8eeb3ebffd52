/// A request to the running service: one JSON object on one line.
package struct ControlRequest: Sendable, Hashable, Codable {
    package enum Command: String, Sendable, Hashable, Codable, CaseIterable {
        case status, reload
        case startGroup = "group-start"
        case stopGroup = "group-stop"
        case startTarget = "target-start"
        case stopTarget = "target-stop"
        case handover
    }

    package var command: Command
    /// The name of the group or target.
    package var name: String?
    /// The encoder to use, for a handover.
    package var encoder: String?

    package init(_ command: Command, name: String? = nil, encoder: String? = nil) {
        self.command = command
        self.name = name
        self.encoder = encoder
    }
}
