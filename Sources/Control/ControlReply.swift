package import Status

/// The answer to a request: one JSON object on one line.
package struct ControlReply: Sendable, Hashable, Codable {
    package enum Outcome: String, Sendable, Hashable, Codable {
        case done
        /// The request is valid, but the service cannot carry it out.
        case refused
        /// The request is wrong, such as an unknown name or a line that is not a request.
        case mistaken
    }

    package var outcome: Outcome
    /// One or more lines for the operator.
    package var message: String
    /// The answer to `status`.
    package var status: BoxSnapshot?

    package init(_ outcome: Outcome, _ message: String, status: BoxSnapshot? = nil) {
        self.outcome = outcome
        self.message = message
        self.status = status
    }
}

/// A service that carries out the requests of the control socket.
package protocol ControlledService: Sendable {
    func answer(_ request: ControlRequest) async -> ControlReply
}
