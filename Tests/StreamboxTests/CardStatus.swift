import Foundation
import Lab
import TestSupport

/// What `status` says of a channel's sources.
struct CardStatus: Decodable {
    struct Channel: Decodable { var sources: [Source] }
    struct Source: Decodable {
        var id: String
        var state: String
        var isOnAir: Bool
        var trouble: String?
    }
    struct Problem: Decodable {
        var problem: String
        var sentence: String
    }
    var channels: [Channel]
    var problems: [Problem]

    func source(_ id: String) -> Source? { channels.flatMap(\.sources).first { $0.id == id } }
    func hasProblem(_ problem: String, _ words: String) -> Bool { problems.contains { $0.problem == problem && $0.sentence.contains(words) } }
}

extension Stage {
    /// A channel with a card that a target is sent.
    func card(_ source: String, to url: String, slate: String = "1s", mezzanine: String = "1M") -> String {
        """
          - name: main
            sources: [ { capture: { \(source) } } ]
            slate: { after: \(slate) }
            mezzanine: { bitrate: \(mezzanine) }
            groups:
              - { name: hd, video: { encoder: libx264, size: 320x180, rate: 30, bitrate: 400k, keyframe: 1s }, targets: [ { name: a, url: "\(url)" } ] }
        """
    }

    /// Starts the service in a lab.
    func daemon(_ lab: Lab, _ channels: String) async throws -> Daemon {
        let config = try configuration(channels)
        let program = try await program(Daemon.path, ["run", "--config", config, "--log-level", "debug"], environment: lab.environment)
        return Daemon(program: program, config: config, runtime: folder.path("run-box"))
    }

    /// Waits until `status` says so.
    func expect(_ what: String, of daemon: Daemon, line: Int = #line, _ isSo: (CardStatus) -> Bool) async throws {
        var last: CardStatus?
        do {
            try await eventually(what, within: .seconds(40), every: .milliseconds(200), line: line) {
                let done = try await command(["status", "--json", "--config", daemon.config])
                // The service may not be there yet.
                guard done.ending == .exited(0) else { return false }
                last = try JSONDecoder().decode(CardStatus.self, from: Data(done.output))
                return last.map(isSo) ?? false
            }
        } catch {
            throw Failed("\(error); it is \(last.map { "\($0)" } ?? "nothing")")
        }
    }
}
