import ArgumentParser
import Foundation
import TestSupport

/// Compares the daemon with nginx-rtmp's worker: the same 8 Mbit/s publisher, the same eight pushes to the same sink.
///
/// Both get the stream at the same time from publishers of their own, so that other load on the machine affects both.
struct Fanout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "CPU and memory for one channel to eight targets, against nginx-rtmp.")

    @OptionGroup var product: Product
    @Option(help: "The number of targets.") var targets = 8
    @Option(help: "Seconds of measuring.") var seconds = 20
    @Option(help: "Kilobits per second of the source.") var bitrate = 8000

    func run() async throws {
        try await withStage { stage in
            let source = NumberedSource.with {
                $0.width = 1280
                $0.height = 720
                $0.duration = .seconds(10)
                $0.picture = .busy
                $0.bitrate = bitrate
            }
            let file = stage.folder.path("source.flv")
            try await source.write(to: file)
            let sink = try await stage.nginx()

            let peerPort = try FreePort.tcp()
            let peer = try await startPeer(stage, sink, port: peerPort)
            let port = try FreePort.tcp()
            let box = try await startBox(stage, sink, port: port)
            try await eventually("both to listen") {
                FreePort.isListening(tcp: port) && FreePort.isListening(tcp: peerPort)
            }

            for url in ["rtmp://127.0.0.1:\(port)/live/x", "rtmp://127.0.0.1:\(peerPort)/live/x"] {
                _ = try await stage.program(
                    "ffmpeg",
                    [
                        "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", file, "-c", "copy", "-f", "flv",
                        url,
                    ])
            }
            for index in 1...targets {
                try await sink.waitForPublishes(of: "box\(index)", within: .seconds(30))
                try await sink.waitForPublishes(of: "nginx\(index)", within: .seconds(30))
            }
            try await Task.sleep(for: .seconds(3))
            let before = (box: try ProcessFigures(pid: box.pid), peer: try ProcessFigures(pid: peer.pid))
            try await Task.sleep(for: .seconds(seconds))
            let after = (box: try ProcessFigures(pid: box.pid), peer: try ProcessFigures(pid: peer.pid))

            let ours = (after.box.cpu - before.box.cpu) / Double(seconds) * 100
            let theirs = (after.peer.cpu - before.peer.cpu) / Double(seconds) * 100
            print(
                """
                fanout: \(bitrate) kbit/s to \(targets) targets, \(seconds) s
                  streambox daemon   \(ours.formatted(2)) % of a core   \(after.box.resident >> 20) MiB resident
                  nginx-rtmp worker  \(theirs.formatted(2)) % of a core   \(after.peer.resident >> 20) MiB resident
                  ratio              \((ours / theirs).formatted(2)) (to be ≤ 1), resident to be ≤ 30 MiB
                """)
            _ = try await box.interrupt(.seconds(15))
        }
    }

    /// Starts one nginx-rtmp worker that pushes to every target.
    private func startPeer(_ stage: Stage, _ sink: NginxRTMP, port: Int) async throws -> TestProcess {
        let pushes = (1...targets).map { "push rtmp://127.0.0.1:\(sink.port)/live/nginx\($0);" }.joined(
            separator: " ")
        try stage.folder.makeFolder("peer")
        let conf = try stage.folder.write(
            "peer/nginx.conf",
            """
            daemon off; master_process off; pid \(stage.folder.path)/peer/nginx.pid; error_log \
            \(stage.folder.path)/peer/error.log warn;
            load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
            events { worker_connections 256; }
            rtmp { access_log off; server { listen 127.0.0.1:\(port); chunk_size 4096; application live { live \
            on; \(pushes) } } }
            """)
        return try await stage.program("nginx", ["-p", "\(stage.folder.path)/peer", "-c", conf])
    }

    /// Starts the service with a group that copies to every target.
    private func startBox(_ stage: Stage, _ sink: NginxRTMP, port: Int) async throws -> TestProcess {
        let list = (1...targets).map { "      - { name: t\($0), url: \"\(sink.url("box\($0)"))\" }" }.joined(
            separator: "\n")
        let yaml = try stage.folder.write(
            "box.yaml",
            """
            runtime: \(stage.folder.path("run"))
            channels:
              - name: main
                sources:
                  - rtmp: { listen: "127.0.0.1:\(port)", app: live }
                groups:
                - name: copy
                  video: copy
                  audio: copy
                  targets:
            \(list)
            """)
        return try await stage.program(product.streambox, ["run", "--config", yaml])
    }
}
