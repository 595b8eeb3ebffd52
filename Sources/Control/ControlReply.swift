package import Status

/// What became of a request: one JSON object on a line.
package struct ControlReply: Sendable, Hashable, Codable {
    package enum Outcome: String, Sendable, Hashable, Codable {
        case done
        /// The request is right, and cannot be had.
        case refused
        /// The request is wrong: an unknown name, a line that is no request.
        case mistaken
    }

    package var outcome: Outcome
    /// A sentence for a person, or several lines of them.
    package var message: String
    /// For `status`.
    package var status: BoxSnapshot?

    package init(_ outcome: Outcome, _ message: String, status: BoxSnapshot? = nil) {
        self.outcome = outcome
        self.message = message
        self.status = status
    }
}

/// Whoever does what the control socket asks.
package protocol ControlledService: Sendable {
    func answer(_ request: ControlRequest) async -> ControlReply
}
