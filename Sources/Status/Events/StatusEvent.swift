/// An event that the service sends to its listeners. The JSON has no field that is `nil`.
package enum StatusEvent: Sendable, Hashable {
    /// The current figures of a group.
    case stats(Stats)
    /// A source, group or target changed its state.
    case state(StateChange)
    /// A problem began or is over.
    case problem(ProblemChange)
    /// A process of a source, group or target ended, or the service itself does.
    case ended(Ended)

    /// The name of the event on the wire.
    package var name: String {
        switch self {
        case .stats: "stats"
        case .state: "state"
        case .problem: "problem"
        case .ended: "ended"
        }
    }

    package var body: any Encodable {
        switch self {
        case .stats(let body): body
        case .state(let body): body
        case .problem(let body): body
        case .ended(let body): body
        }
    }

    package struct Stats: Sendable, Hashable, Encodable {
        package var channel: String
        package var group: String
        /// Frames per second, over the last seconds.
        package var fps: Double
        /// Bits per second, over the last seconds.
        package var bitrate: Double
        /// Frames that the encoders reported as dropped since the service started.
        package var droppedFrames: Int
        /// Seconds since the group went live; 0 while it is not live.
        package var uptime: Double
    }

    /// The part that an event is about; the service itself if all fields are `nil`. The JSON of an event contains these
    /// fields directly.
    package struct Subject: Sendable, Hashable, Encodable {
        package var channel: String?
        package var source: String?
        package var group: String?
        package var target: String?
    }

    package struct StateChange: Sendable, Hashable, Encodable {
        package var of: Subject
        /// `nil` if the part is new, or the listener is.
        package var before: String?
        /// `nil` if the part no longer exists.
        package var now: String?

        private enum Keys: CodingKey { case before, now }

        package func encode(to encoder: any Encoder) throws {
            try of.encode(to: encoder)
            var fields = encoder.container(keyedBy: Keys.self)
            try fields.encodeIfPresent(before, forKey: .before)
            try fields.encodeIfPresent(now, forKey: .now)
        }
    }

    package struct ProblemChange: Sendable, Hashable, Encodable {
        package var problem: Problem.Kind
        package var subject: String
        package var sentence: String
        /// Whether an operator should act; false when the problem is over.
        package var isActive: Bool
    }

    package struct Ended: Sendable, Hashable, Encodable {
        package var of: Subject
        /// `exited 1`, `signal 9`; for the service itself `stopping`.
        package var status: String
        /// `nil` if the service ended the process.
        package var cause: String?
        /// The last lines that the process printed, with masked secrets.
        package var lastLines: [String]

        private enum Keys: CodingKey { case status, cause, lastLines }

        package func encode(to encoder: any Encoder) throws {
            try of.encode(to: encoder)
            var fields = encoder.container(keyedBy: Keys.self)
            try fields.encode(status, forKey: .status)
            try fields.encodeIfPresent(cause, forKey: .cause)
            try fields.encode(lastLines, forKey: .lastLines)
        }
    }

    /// The service ends, and sends no further event.
    package static let stopping = StatusEvent.ended(Ended(of: Subject(), status: "stopping", cause: nil, lastLines: []))
}
