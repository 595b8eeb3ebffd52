import LabKit
import TestSupport

extension Stage {
    /// A channel with a card that a target is sent.
    func card(_ source: String, to url: String, slate: String = "1s", mezzanine: String = "1M") -> String {
        """
          - name: main
            sources: [ { capture: { \(source) } } ]
            slate: { after: \(slate) }
            mezzanine: { bitrate: \(mezzanine) }
            groups:
              - { name: hd, video: { encoder: libx264, size: 320x180, rate: 30, bitrate: 400k, keyframe: 1s },
                  targets: [ { name: a, url: "\(url)" } ] }
        """
    }

    /// Starts the service in a lab.
    func daemon(_ lab: Lab, _ channels: String) async throws -> Daemon {
        let config = try configuration(channels)
        try await rememberFirstStart("box", environment: lab.environment)
        let program = try await program(
            Daemon.path, ["run", "--config", config, "--log-level", "debug"], environment: lab.environment)
        return Daemon(program: program, config: config, runtime: folder.path("run-box"))
    }
}

extension Daemon {
    /// The frames of a source are encoded by this one.
    func encodesFrames(_ encoder: String) -> Bool { children("-f ivf").contains { $0.command.contains(encoder) } }
}
