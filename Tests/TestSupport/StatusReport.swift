import Foundation

/// What `streambox status --json` says, as a program outside reads it: written a second time on purpose.
public struct StatusReport: Decodable, Sendable {
    public struct Channel: Decodable, Sendable {
        public var name: String
        public var sources: [Source]
        public var groups: [Group]
    }
    public struct Source: Decodable, Sendable {
        public var id: String
        public var state: String
        public var isOnAir: Bool
        public var format: String?
        public var trouble: String?
        public var notes: [String]?
    }
    public struct Group: Decodable, Sendable {
        public struct Exits: Decodable, Sendable, Hashable {
            public var encoder: String
            public var cause: String
            public var count: Int

            public init(encoder: String, cause: String, count: Int) {
                (self.encoder, self.cause, self.count) = (encoder, cause, count)
            }
        }
        public var name: String
        public var state: String
        public var encoder: String
        public var gpu: String?
        public var why: String
        public var lostFrames: Int
        public var handovers: [String: Int]
        public var exits: [Exits]
        public var targets: [Target]
        public var tap: String?

        /// `libx264`, `h264_vaapi@0000:00:02.0`.
        public var use: String { gpu.map { "\(encoder)@\($0)" } ?? encoder }
    }
    public struct Target: Decodable, Sendable {
        public var name: String
        public var state: String
        public var connects: Int
        public var share: Double?
        public var trouble: String?
    }
    public struct GPU: Decodable, Sendable {
        public var slot: String
        public var node: String
        public var state: String
    }
    public struct Problem: Decodable, Sendable {
        public var problem: String
        public var subject: String
        public var sentence: String
    }

    public var channels: [Channel]
    public var gpus: [GPU]
    public var problems: [Problem]

    /// - Throws: `Failed` when the command failed, `DecodingError` when it said something else.
    public init(_ done: Program.Completed) throws {
        guard done.ending == .exited(0) else { throw Failed("status: \(done.errors)") }
        self = try JSONDecoder().decode(Self.self, from: Data(done.output))
    }

    public var groups: [Group] { channels.flatMap(\.groups) }
    public func source(_ id: String) -> Source? { channels.flatMap(\.sources).first { $0.id == id } }
    public func group(_ name: String) -> Group? { groups.first { $0.name == name } }
    public func target(_ name: String) -> Target? { groups.flatMap(\.targets).first { $0.name == name } }
    /// Whether it has a problem of this kind whose sentence holds these words.
    public func hasProblem(_ problem: String, _ words: String = "") -> Bool {
        problems.contains { $0.problem == problem && (words.isEmpty || $0.sentence.contains(words)) }
    }
}
