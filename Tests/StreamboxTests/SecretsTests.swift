import Foundation
import Synchronization
import TestSupport
import Testing

/// Every output of the running service, searched for every secret of its configuration.
@Suite(.serialized, .tags(.ffmpeg)) struct SecretsTests {
    /// One secret of each kind and place. None is a part of another.
    private enum Hidden {
        static let file = "kf-7hQwEr9+z="
        static let credential = "kc-Zu9lmnopq"
        static let environment = "ke-passphrase-0815"
        static let listener = "kl-passphrase-4711"
        static let literal = "ki-literal-2242"
        static let pull = "kp-pulled-3391"
        static let token = "kt-token-9934"
        static let password = "kw-word-6612"
        static let stream = "ks-stream-7781"
        static let caller = "kn-caller-5520"
        static let outgoing = "ko-outgoing-8814"
        static let fetched = "kv-fetched-1793"
        static let wanted = "kx-wanted-2386"
        static let viewer = "ky-viewer/4075"
        static let all = [
            file, credential, environment, listener, literal, pull, token, password, stream, caller, outgoing, fetched,
            wanted, viewer,
        ]

        /// Each secret as it is, and as a URL encodes it.
        static var forms: [String] {
            all
                + all.compactMap { $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) }.filter {
                    $0.contains("%")
                }
        }
    }

    /// Collects what /proc shows of every descendant of a process.
    private final class Watcher: Sendable {
        private let seen = Mutex<Set<String>>([])

        func look(at pid: Int32) {
            for child in Leftovers.descendants(of: pid) {
                let shown = ["cmdline", "environ", "comm"].compactMap { name in
                    KernelFile.text("/proc/\(child.pid)/\(name)").map { "\(name): \($0)" }
                }
                // Between fork and exec a child is the service itself, and its /proc files are closed to other users.
                let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(child.pid)/exe")
                guard let program, program != Daemon.path else { continue }
                seen.withLock { $0.formUnion(shown) }
            }
        }

        var texts: [String] { seen.withLock { Array($0) } }
    }

    private func expectNoSecret(_ text: String, _ place: String, sourceLocation: SourceLocation = #_sourceLocation) {
        for secret in Hidden.forms where text.contains(secret) {
            let index = text.range(of: secret)!
            let start = text.index(index.lowerBound, offsetBy: -60, limitedBy: text.startIndex) ?? text.startIndex
            Issue.record(
                "\(place) contains \(secret): …\(text[start..<index.upperBound])", sourceLocation: sourceLocation)
        }
    }

    @Test("no secret is in any output, argument list, environment, file or recording")
    func nowhere() async throws {
        try await withStage { stage in
            let folder = stage.folder
            let nginx = try await stage.nginx()
            let listener = try await stage.srtListener(passphrase: Hidden.environment)
            let source = try await stage.publish(.small, to: nginx.url("\(Hidden.pull)?token=\(Hidden.token)"))
            let (http, srt, dead) = (try FreePort.tcp(), try FreePort.udp(), try FreePort.tcp())
            _ = try folder.write("key", Hidden.file + "\n", mode: 0o600)
            mkdir(folder.path("credentials"), 0o700)
            _ = try folder.write("credentials/ingest", Hidden.credential, mode: 0o600)
            for (name, secret) in [("caller", Hidden.caller), ("wanted", Hidden.wanted), ("viewer", Hidden.viewer)] {
                _ = try folder.write(name, secret, mode: 0o600)
            }
            _ = try folder.write("credentials/outgoing", Hidden.outgoing, mode: 0o600)
            let environment = [
                "CREDENTIALS_DIRECTORY": folder.path("credentials"), "STUDIO_PASS": Hidden.environment,
                "LISTEN_PASS": Hidden.listener, "FETCH_PASS": Hidden.fetched,
            ]
            let channels = """
                  - name: main
                    tap: true
                    sources:
                      - pull: { url: "rtmp://127.0.0.1:\(nginx.port)/live/\(Hidden.pull)?token=\(Hidden.token)" }
                      - pull: { url: "http://u:\(Hidden.password)@127.0.0.1:\(dead)/a.ts?token=\(Hidden.token)" }
                      - pull: { url: "srt://127.0.0.1:\(dead)?streamid=\(Hidden.stream)" }
                      - srt:
                          listen: "127.0.0.1:\(srt)"
                          passphrase: { env: LISTEN_PASS }
                          streamid: { file: \(folder.path("caller")) }
                      - pull:
                          url: "srt://127.0.0.1:\(dead)"
                          passphrase: { env: FETCH_PASS }
                          streamid: { file: \(folder.path("wanted")) }
                      - pull: { url: "http://u@127.0.0.1:\(dead)/b.ts", password: { file: \(folder.path("viewer")) } }
                    groups:
                      - name: raw
                        video: copy
                        audio: copy
                        targets:
                          - { name: filed, url: "\(nginx.url)", key: { file: \(folder.path("key")) } }
                          - name: refused
                            url: "rtmp://127.0.0.1:\(nginx.port)/nowhere?auth=\(Hidden.token)"
                            key: { credential: ingest }
                          - { name: dead, url: "rtmp://127.0.0.1:\(dead)/live", key: \(Hidden.literal) }
                          - name: studio
                            url: "\(listener.url)"
                            passphrase: { env: STUDIO_PASS }
                            streamid: { credential: outgoing }
                          - { name: wrong, url: "srt://127.0.0.1:\(dead)?passphrase=\(Hidden.listener)" }
                          - { name: archive, record: { folder: \(folder.path("rec")) } }
                """
            let more = "status: { file: \(folder.path("box.prom")), every: 500ms, listen: \"127.0.0.1:\(http)\" }\n"
            let daemon = try await stage.streambox(
                channels, more: more, options: ["--log-level", "trace"], environment: environment)
            let watcher = Watcher()
            let pid = daemon.program.pid
            let watching = Task.detached {
                while !Task.isCancelled {
                    watcher.look(at: pid)
                    try? await Task.sleep(for: .milliseconds(5))
                }
            }
            // The events are read from beginning to end.
            try await eventually("the status to listen") { FreePort.isListening(tcp: http) }
            let events = try await RawClient.connected(to: http)
            events.get("/api/events")
            let eventText = Task { await events.read().text }
            try await eventually("the SRT source to listen") { FreePort.isBound(udp: srt) }
            let stranger = try await stage.srtCaller(
                .small(seconds: 20), port: srt, passphrase: Hidden.listener, streamID: "\(Hidden.caller)-not")
            try await daemon.logged("wrong SRT stream id", "source=srt-3")
            await stage.end(stranger.program)
            try await eventually("the SRT source to listen") { FreePort.isBound(udp: srt) }
            let caller = try await stage.srtCaller(
                .small(seconds: 600), port: srt, passphrase: Hidden.listener, streamID: Hidden.caller)
            try await daemon.logged("msg=delivers", "source=srt-3")
            // The secrets work: the key reached one target, the passphrase the other, and the pulled stream is on air.
            try await nginx.waitForPublishes(of: Hidden.file, within: .seconds(60)) { $0.isAccepted }
            try await eventually("the SRT target to be sent") {
                (try? Data(contentsOf: URL(fileURLWithPath: listener.file!)).count) ?? 0 > 100_000
            }
            for target in ["refused", "dead", "wrong"] {
                try await daemon.logged("msg=\"process ended\"", "target=\(target)", within: .seconds(60))
            }
            for name in ["pull-1", "pull-2", "pull-4", "pull-5"] {
                try await daemon.logged("msg=\"process ended\"", "source=\(name)", within: .seconds(60))
            }

            for path in ["/metrics", "/api/status", "/readyz"] {
                expectNoSecret(try await HTTP.exchange(port: http, path).body, "GET \(path)")
            }
            expectNoSecret(try folder.text("box.prom"), "the metrics file")
            for arguments in [
                ["status", "--config", daemon.config], ["status", "--json", "--config", daemon.config],
                ["reload", "--config", daemon.config],
            ] {
                let done = try await stage.command(arguments, environment: environment)
                expectNoSecret(done.text + done.errors, arguments.joined(separator: " "))
                #expect(done.ending == .exited(0))
            }
            for arguments in [["plan", daemon.config], ["plan", "--json", daemon.config], ["check", daemon.config]] {
                let done = try await stage.command(arguments, environment: environment)
                expectNoSecret(done.text + done.errors, arguments.joined(separator: " "))
                #expect(done.ending == .exited(0), "\(done.errors)")
            }
            // The errors of an invalid file do not quote its secrets.
            let broken = try folder.write(
                "broken.yaml",
                try folder.text("box.yaml").replacing("target", with: "tarrget").replacing(
                    "streamid:", with: "stream id:"), mode: 0o600)
            let refused = try await stage.command(["check", broken], environment: environment)
            expectNoSecret(refused.text + refused.errors, "the refusal of a file")
            #expect(refused.ending == .exited(2))
            // The folders that the service writes to have no secret.
            for name in folder.names(in: "run-box") {
                let path = folder.path("run-box/\(name)")
                var info = stat()
                guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { continue }
                expectNoSecret(
                    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self),
                    "the runtime folder's \(name)")
                #expect(!name.hasSuffix("ffpreset") && !name.hasSuffix("ffconcat"))
            }
            for name in FileManager.default.subpaths(atPath: folder.path("state-box")) ?? [] {
                guard let bytes = FileManager.default.contents(atPath: folder.path("state-box/\(name)")) else {
                    continue
                }
                expectNoSecret(String(decoding: bytes, as: UTF8.self), "the state folder's \(name)")
            }
            // Neither the service nor a child may leave a core file.
            for process in [pid] + Leftovers.descendants(of: pid).map(\.pid) {
                let limits = KernelFile.text("/proc/\(process)/limits") ?? ""
                guard !limits.isEmpty else { continue }
                #expect(
                    limits.firstMatch(of: #/Max core file size +[01] +[01] /#) != nil,
                    "process \(process) may leave a core: \(limits)")
            }
            watching.cancel()
            await stage.end(source)
            await stage.end(caller.program)
            try await daemon.terminate()
            let stream = await eventText.value
            #expect(
                ["event: stats", "event: state", "event: ended"].allSatisfy(stream.contains), "\(stream.suffix(2000))")
            expectNoSecret(stream, "GET /api/events")
            let texts = watcher.texts
            #expect(
                texts.contains { $0.hasPrefix("cmdline:") && $0.contains("ffmpeg") }
                    && texts.contains { $0.hasPrefix("environ:") })
            for text in texts { expectNoSecret(text.replacing("\0", with: " "), "/proc: \(text.prefix(8))") }
            expectNoSecret(daemon.program.errors.lines.map(\.text).joined(separator: "\n"), "the log")
            expectNoSecret(daemon.program.output.lines.map(\.text).joined(separator: "\n"), "standard output")
            for name in folder.names(in: "rec") {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path("rec/\(name)")))
                for secret in Hidden.all {
                    #expect(bytes.range(of: Data(secret.utf8)) == nil, "the recording contains \(secret)")
                }
            }
        }
    }
}
