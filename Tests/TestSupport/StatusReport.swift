import Foundation

/// The output of `streambox status --json`, as another program reads it. Written a second time on purpose.
package struct StatusReport: Decodable, Sendable {
    package struct Channel: Decodable, Sendable {
        package var name: String
        package var sources: [Source]
        package var groups: [Group]
    }
    package struct Source: Decodable, Sendable {
        package var id: String
        package var state: String
        package var isOnAir: Bool
        package var format: String?
        package var trouble: String?
        package var notes: [String]?
    }
    package struct Group: Decodable, Sendable {
        package struct Exits: Decodable, Sendable, Hashable {
            package var encoder: String
            package var cause: String
            package var count: Int

            package init(encoder: String, cause: String, count: Int) {
                (self.encoder, self.cause, self.count) = (encoder, cause, count)
            }
        }
        package var name: String
        package var state: String
        package var encoder: String
        package var gpu: String?
        package var why: String
        package var lostFrames: Int
        package var handovers: [String: Int]
        package var exits: [Exits]
        package var targets: [Target]
        package var tap: String?

        /// Encoder and GPU, such as `libx264` or `h264_vaapi@0000:00:02.0`.
        package var use: String { gpu.map { "\(encoder)@\($0)" } ?? encoder }
    }
    package struct Target: Decodable, Sendable {
        package var name: String
        package var state: String
        package var connects: Int
        package var share: Double?
        package var trouble: String?
    }
    package struct GPU: Decodable, Sendable {
        package var slot: String
        package var node: String
        package var state: String
    }
    package struct Problem: Decodable, Sendable {
        package var problem: String
        package var subject: String
        package var sentence: String
    }

    package var channels: [Channel]
    package var gpus: [GPU]
    package var problems: [Problem]

    /// - Throws: `Failed` if the command failed, `DecodingError` if its output has another form.
    package init(_ done: TestProcess.Completed) throws {
        guard done.ending == .exited(0) else { throw Failed("status: \(done.errors)") }
        self = try JSONDecoder().decode(Self.self, from: Data(done.output))
    }

    package var groups: [Group] { channels.flatMap(\.groups) }
    package func source(_ id: String) -> Source? { channels.flatMap(\.sources).first { $0.id == id } }
    package func group(_ name: String) -> Group? { groups.first { $0.name == name } }
    package func target(_ name: String) -> Target? { groups.flatMap(\.targets).first { $0.name == name } }
    /// Whether there is a problem of this kind whose sentence contains these words.
    package func hasProblem(_ problem: String, _ words: String = "") -> Bool {
        problems.contains { $0.problem == problem && (words.isEmpty || $0.sentence.contains(words)) }
    }
}
