/// Something that a listener to the service is told. Every field that is `nil` is left out of its JSON.
public enum StatusEvent: Sendable, Hashable {
    /// What a group gives.
    case stats(Stats)
    /// A source, group or target is in another state.
    case state(StateChange)
    /// A problem came up or went away.
    case problem(ProblemChange)
    /// A process of a source, group or target ended, or the service itself does.
    case ended(Ended)

    /// The name of the event on the wire.
    public var name: String {
        switch self {
        case .stats: "stats"
        case .state: "state"
        case .problem: "problem"
        case .ended: "ended"
        }
    }

    public var body: any Encodable {
        switch self {
        case .stats(let body): body
        case .state(let body): body
        case .problem(let body): body
        case .ended(let body): body
        }
    }

    public struct Stats: Sendable, Hashable, Encodable {
        public var channel: String
        public var group: String
        /// Pictures a second over the last seconds.
        public var fps: Double
        /// Bits a second over the last seconds.
        public var bitrate: Double
        /// Pictures that the encoders left out, by their own word, since the service started.
        public var droppedFrames: Int
        /// Seconds since it went live; 0 while it is not.
        public var uptime: Double
    }

    /// Whom an event concerns; the service itself where all are `nil`. Its fields stand among those of the event.
    public struct Subject: Sendable, Hashable, Encodable {
        public var channel: String?
        public var source: String?
        public var group: String?
        public var target: String?
    }

    public struct StateChange: Sendable, Hashable, Encodable {
        public var of: Subject
        /// `nil` when it was not there before, or the listener has just come.
        public var before: String?
        /// `nil` when it is no longer there.
        public var now: String?

        private enum Keys: CodingKey { case before, now }

        public func encode(to encoder: any Encoder) throws {
            try of.encode(to: encoder)
            var fields = encoder.container(keyedBy: Keys.self)
            try fields.encodeIfPresent(before, forKey: .before)
            try fields.encodeIfPresent(now, forKey: .now)
        }
    }

    public struct ProblemChange: Sendable, Hashable, Encodable {
        public var problem: Problem.Kind
        public var subject: String
        public var sentence: String
        /// Whether an operator should act; false when it has gone away.
        public var isActive: Bool
    }

    public struct Ended: Sendable, Hashable, Encodable {
        public var of: Subject
        /// `exited 1`, `signal 9`; for the service itself `stopping`.
        public var status: String
        /// `nil` when it was asked to end.
        public var cause: String?
        /// What it said last, secrets masked.
        public var lastLines: [String]

        private enum Keys: CodingKey { case status, cause, lastLines }

        public func encode(to encoder: any Encoder) throws {
            try of.encode(to: encoder)
            var fields = encoder.container(keyedBy: Keys.self)
            try fields.encode(status, forKey: .status)
            try fields.encodeIfPresent(cause, forKey: .cause)
            try fields.encode(lastLines, forKey: .lastLines)
        }
    }

    /// The service ends, and nothing more will come.
    public static let stopping = StatusEvent.ended(Ended(of: Subject(), status: "stopping", cause: nil, lastLines: []))
}
