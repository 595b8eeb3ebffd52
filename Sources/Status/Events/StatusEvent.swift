/// Something that a listener to the service is told. Every field that is `nil` is left out of its JSON.
package enum StatusEvent: Sendable, Hashable {
    /// What a group gives.
    case stats(Stats)
    /// A source, group or target is in another state.
    case state(StateChange)
    /// A problem came up or went away.
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
        /// Pictures a second over the last seconds.
        package var fps: Double
        /// Bits a second over the last seconds.
        package var bitrate: Double
        /// Pictures that the encoders left out, by their own word, since the service started.
        package var droppedFrames: Int
        /// Seconds since it went live; 0 while it is not.
        package var uptime: Double
    }

    /// Whom an event concerns; the service itself where all are `nil`. Its fields stand among those of the event.
    package struct Subject: Sendable, Hashable, Encodable {
        package var channel: String?
        package var source: String?
        package var group: String?
        package var target: String?
    }

    package struct StateChange: Sendable, Hashable, Encodable {
        package var of: Subject
        /// `nil` when it was not there before, or the listener has just come.
        package var before: String?
        /// `nil` when it is no longer there.
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
        /// Whether an operator should act; false when it has gone away.
        package var isActive: Bool
    }

    package struct Ended: Sendable, Hashable, Encodable {
        package var of: Subject
        /// `exited 1`, `signal 9`; for the service itself `stopping`.
        package var status: String
        /// `nil` when it was asked to end.
        package var cause: String?
        /// What it said last, secrets masked.
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

    /// The service ends, and nothing more will come.
    package static let stopping = StatusEvent.ended(Ended(of: Subject(), status: "stopping", cause: nil, lastLines: []))
}
