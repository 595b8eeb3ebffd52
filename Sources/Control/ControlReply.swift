public import Status

/// What became of a request: one JSON object on a line.
public struct ControlReply: Sendable, Hashable, Codable {
    public enum Outcome: String, Sendable, Hashable, Codable {
        case done
        /// The request is right, and cannot be had.
        case refused
        /// The request is wrong: an unknown name, a line that is no request.
        case mistaken
    }

    public var outcome: Outcome
    /// A sentence for a person, or several lines of them.
    public var message: String
    /// For `status`.
    public var status: BoxSnapshot?

    public init(_ outcome: Outcome, _ message: String, status: BoxSnapshot? = nil) {
        self.outcome = outcome
        self.message = message
        self.status = status
    }
}

/// Whoever does what the control socket asks.
public protocol ControlledService: Sendable {
    func answer(_ request: ControlRequest) async -> ControlReply
}
