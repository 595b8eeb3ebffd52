/// What a command asks of the running service: one JSON object on a line.
public struct ControlRequest: Sendable, Hashable, Codable {
    public enum Command: String, Sendable, Hashable, Codable, CaseIterable {
        case status, reload
        case startGroup = "group-start"
        case stopGroup = "group-stop"
        case startTarget = "target-start"
        case stopTarget = "target-stop"
        case handover
    }

    public var command: Command
    /// The group or target.
    public var name: String?
    /// For a handover: the encoder wanted.
    public var encoder: String?

    public init(_ command: Command, name: String? = nil, encoder: String? = nil) {
        self.command = command
        self.name = name
        self.encoder = encoder
    }
}
