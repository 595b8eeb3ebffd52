import Foundation
import TestSupport
import Testing

/// A box as the documents describe it, with a running service. Their commands run on it unchanged.
struct DocumentedBox {
    let stage: Stage
    let daemon: Daemon
    private let environment: [String: String?]

    /// Starts the service with a channel `main` and a group `hd` with the targets `twitch` and `youtube`.
    init(_ stage: Stage) async throws {
        self.stage = stage
        let sink = try await stage.nginx(record: false)
        daemon = try await stage.streambox(
            """
              - name: main
                sources: [ { test: { size: 320x180, rate: 30 } } ]
                tap: true
                groups:
                  - name: hd
                    video: { encoder: libx264, size: 320x180, rate: 30, bitrate: 400k, keyframe: 1s }
                    tap: true
                    targets:
                      - { name: twitch, url: "\(sink.url("one"))" }
                      - { name: youtube, url: "\(sink.url("two"))" }
            """)
        let programs = try stage.folder.makeFolder("programs")
        let link = { (name: String, target: String) in
            try FileManager.default.createSymbolicLink(atPath: stage.folder.path(name), withDestinationPath: target)
        }
        try link("programs/streambox", Daemon.path)
        // Commands of the project use paths from its top folder.
        for name in ["docs", "scripts", "Tests"] { try link(name, Document.root.appending(path: name).path) }
        // Without a screen, ffplay decodes a second of the stream.
        _ = try stage.folder.write(
            "programs/ffplay", "#!/bin/sh\nexec ffmpeg -v error -t 1 -i \"$@\" -f null -\n", mode: 0o755)
        // The scripts find everything built already.
        _ = try stage.folder.write(
            "programs/swift",
            """
            #!/bin/sh
            echo "$*" >>\(stage.folder.path("built"))
            case "$*" in
                --version) echo "Swift version 6.2" ;;
                *--show-bin-path*) dirname \(Daemon.path) ;;
            esac

            """, mode: 0o755)
        environment = [
            "PATH": "\(programs):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"):/usr/sbin:/sbin",
            "STREAMBOX_CONFIG": daemon.config,
        ]
        try await stage.expect("both targets live", of: daemon) {
            $0.target("twitch")?.state == "live" && $0.target("youtube")?.state == "live"
        }
    }

    /// A command with the paths and names of this box.
    private func localized(_ command: DocumentedCommand) -> String {
        let isTarget = command.text.hasPrefix("streambox target")
        var text = command.text.replacing("/etc/streambox/streambox.yaml", with: daemon.config).replacing(
            "/run/streambox", with: daemon.runtime)
        // A sentence names these commands without an argument.
        if ["streambox check", "streambox plan"].contains(text) { text += " FILE" }
        text = text.replacing(/\bFILE\b/, with: daemon.config).replacing(/\bGROUP\b/, with: "hd")
        return text.replacing(/--encoder NAME\b/, with: "--encoder libx264").replacing(
            /\bNAME\b/, with: isTarget ? "twitch" : "hd")
    }

    /// Runs a command to its end.
    func run(_ command: DocumentedCommand) async throws {
        let text = localized(command)
        let done = try await TestProcess.run(
            "bash", ["-o", "pipefail", "-c", text], environment: environment, folder: stage.folder.path,
            within: .seconds(90))
        // ffplay closes the pipe after a second.
        let isFine = done.ending == .exited(0) || (text.contains("| ffplay") && done.ending == .exited(141))
        #expect(isFine, "\(command.place): \(text): \(done.ending)\n\(done.text)\(done.errors)")
        if let stopped = text.firstMatch(of: /^streambox (group|target) stop/) {
            // The next command needs the same state of the box.
            try await run(
                DocumentedCommand(
                    text: text.replacingCharacters(in: stopped.range, with: "streambox \(stopped.1) start"),
                    place: command.place))
            try await stage.expect("everything live again", of: daemon) {
                $0.group("hd")?.state == "live" && $0.group("hd")?.targets.allSatisfy { $0.state == "live" } == true
            }
        }
        if text.contains("nc -U") {
            #expect(done.text.contains(#""outcome":"done""#), "\(command.place): \(done.text)")
        }
    }

    /// Runs `scripts/run` in a network namespace of its own, and stops it with SIGINT as a person does.
    func start(_ command: DocumentedCommand) async throws {
        let example = try #require(
            try Document("README.md").blocks.first { $0.language == "yaml" && $0.text.hasPrefix("# streambox.yaml\n") })
        let (text, secrets) = try ExampleSecrets.provide(example.text, in: stage.folder)
        _ = try stage.folder.makeFolder("start")
        _ = try stage.folder.write("start/streambox.yaml", text, mode: 0o600)
        // As for a user without a configuration.
        var variables = environment.merging(secrets) { $1 }
        variables["STREAMBOX_CONFIG"] = .some(nil)
        variables["XDG_RUNTIME_DIR"] = .some(nil)
        variables["XDG_STATE_HOME"] = stage.folder.path("start/state")
        let network = geteuid() == 0 ? "-n" : "-Urn"
        let program = try await stage.program(
            "unshare", [network, "bash", "-c", "ip link set lo up && exec \(Document.root.path)/\(command.text)"],
            environment: variables, folder: stage.folder.path("start"))
        let isDemo = command.text == "scripts/run"
        try await program.output.first("where to push to", from: 0, within: .seconds(60)) {
            $0.contains("push to")
                && $0.contains(isDemo ? "rtmp://127.0.0.1:1935/live/demo" : "rtmp://0.0.0.0:1935/live/KEY")
        }
        try await program.errors.first("a picture", from: 0, within: .seconds(60)) { $0.contains("on air") }
        program.send(SIGINT)
        #expect(
            try await program.wait(.seconds(10)) == .exited(0),
            "\(command.place): \(command.text): \(program.errors.text)")
    }

    /// Runs a test script with a `swift` that only notes its arguments.
    func test(_ command: DocumentedCommand) async throws {
        let before = (try? String(decoding: stage.folder.read("built"), as: UTF8.self)) ?? ""
        let done = try await TestProcess.run(
            "bash", ["-c", command.text], environment: environment, folder: stage.folder.path, within: .seconds(60))
        #expect(done.ending == .exited(0), "\(command.place): \(command.text): \(done.errors)")
        let calls = String(decoding: try stage.folder.read("built"), as: UTF8.self).dropFirst(before.count)
        let arguments = command.text.split(separator: " ").dropFirst().filter { !$0.hasPrefix("--sanitize") }.joined(
            separator: " ")
        #expect(
            calls.contains("--build-tests")
                && calls.contains("--skip-build" + (arguments.isEmpty ? "" : " \(arguments)")),
            "\(command.place): \(calls)")
    }
}
