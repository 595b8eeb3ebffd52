import Foundation
import TestSupport
import Testing

/// Misbehaving clients and disks of the status: no stream is disturbed.
@Suite(.serialized, .tags(.ffmpeg)) struct AbuseTests {
    private func channels(_ sink: NginxRTMP, rtmp: Int) -> String {
        """
          - name: main
            sources: [ { rtmp: { listen: "127.0.0.1:\(rtmp)", app: live } } ]
            slate: { after: 60s }
            groups:
              - name: hd
                video: { size: 320x180, rate: 30, bitrate: 600k }
                targets: [ { name: a, url: "\(sink.url("one"))" } ]
        """
    }

    /// Ends the source and the service, and expects every frame at the sink.
    private func expectWhole(_ stage: Stage, _ sink: NginxRTMP, _ daemon: Daemon, _ publisher: TestProcess) async throws
    {
        await stage.end(publisher)
        try await daemon.logged("msg=ended", "source=rtmp-0")
        try await daemon.terminate()
        #expect(try await sink.wasPublishedOnceInOrder("one"))
        let verdict = Verdict(try await sink.reading(of: "one"))
        #expect(verdict.isWhole && verdict.first == 0, "\(verdict)")
    }

    @Test("a thousand idle, slow and oversized clients cost no frame and no memory")
    func clients() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let (rtmp, http) = (try FreePort.tcp(), try FreePort.tcp())
            let daemon = try await stage.streambox(channels(sink, rtmp: rtmp), more: "status: { listen: \(http) }\n")
            try await eventually("the source to listen") {
                FreePort.isListening(tcp: rtmp) && FreePort.isListening(tcp: http)
            }
            // The slate has arrived: the target is connected before the source delivers.
            try await sink.waitForFrames(1, of: "one")
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(rtmp)/live/x")
            try await sink.waitForNumbers(30, of: "one")
            let before = try daemon.residentMemory()
            let socket = daemon.runtime + "/control.sock"
            let filler = String(repeating: "a", count: 200 << 10)
            for _ in 0..<3 {
                let idle = try await RawClient.connected(to: http, count: 1000)
                let half = try await RawClient.connected(to: http, count: 60)
                for client in half { client.send("GET /metrics HTTP/1.1\r\nHo") }
                let stuck = try await RawClient.connected(to: http, count: 60, receiveBuffer: 4096)
                for client in stuck.prefix(30) { client.get("/api/events") }
                for client in stuck.suffix(30) { for _ in 0..<20 { client.get("/api/status") } }
                let large = try await RawClient.connected(to: http, count: 20)
                for (index, client) in large.enumerated() {
                    client.send(
                        index % 2 == 0
                            ? "GET /" + filler
                            : "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + filler)
                }
                for line in [
                    "", "{", "null\n", "{\"command\":\"dance\"}\n", "{\"command\":\"group-stop\"}\n",
                    "{\"command\":\"status\"", filler, "\0\u{1}\n",
                ] {
                    let clients = try await RawClient.connected(toSocket: socket, count: 8)
                    for client in clients { client.send(line) }
                    if line.hasSuffix("\n") {
                        let answer = await clients[0].read()
                        #expect(answer.isClosed && answer.text.contains("mistaken"), "\(line): \(answer.text)")
                    }
                }
                #expect(try await HTTP.get(port: http, "/healthz") == "ok\n")
                // The clients that stopped in the middle of a request are disconnected.
                try await eventually("a place at the control socket") {
                    try await stage.command(["status", "--config", daemon.config]).ending == .exited(0)
                }
                // A thousand clients stay idle for a while, beside the stream.
                try await sink.waitForMoreFrames(30, of: "one")
                withExtendedLifetime((idle, half, stuck, large)) {}
            }
            #expect(Metrics(try await HTTP.get(port: http, "/metrics")).sum("streambox_group_lost_frames_total") == 0)
            let after = try daemon.residentMemory()
            print("resident memory: \(before >> 10) kB before, \(after >> 10) kB after")
            #expect(Limit.isInstrumented || after - before < 24 << 20)
            try await sink.waitForMoreFrames(30, of: "one")
            try await expectWhole(stage, sink, daemon, publisher)
        }
    }

    @Test("without free descriptors, clients wait at no CPU cost and are answered later")
    func descriptors() async throws {
        try await withStage { stage in
            let (rtmp, http) = (try FreePort.tcp(), try FreePort.tcp())
            let channel = channels(try await stage.nginx(record: false), rtmp: rtmp)
            let daemon = try await stage.streambox(channel, more: "status: { listen: \(http) }\n")
            try await eventually("the server to listen") { FreePort.isListening(tcp: http) }
            #expect(try await HTTP.get(port: http, "/healthz") == "ok\n")
            /// Sets the soft limit of descriptors. Below the number of open ones nothing new can be opened.
            func limit(_ count: Int) async throws {
                let done = try await TestProcess.run(
                    "prlimit", ["--pid", "\(daemon.program.pid)", "--nofile=\(count):"])
                guard done.ending == .exited(0) else { throw Failed("prlimit: \(done.errors)") }
            }
            try await limit(5)
            let client = try await RawClient.connected(to: http)
            client.get("/healthz")
            let commander = try await RawClient.connected(toSocket: daemon.runtime + "/control.sock", count: 1)[0]
            commander.send("{\"command\":\"status\"}\n")
            let before = try serverTime(daemon.program.pid)
            try await Task.sleep(for: .seconds(2))
            #expect(try serverTime(daemon.program.pid) - before < 0.5)
            try await limit(1024)
            #expect(await client.read(until: "ok\n").text.hasPrefix("HTTP/1.1 200 "))
            #expect(await commander.read().text.contains("\"outcome\":\"done\""))
            #expect(try await HTTP.get(port: http, "/healthz") == "ok\n")
            try await daemon.terminate()
        }
    }

    /// The CPU time in seconds that the threads of the two servers have used.
    private func serverTime(_ pid: Int32) throws -> Double {
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").compactMap { thread in
            KernelFile.text("/proc/\(pid)/task/\(thread)/stat")
        }.filter { $0.contains("(NIO-") }
        guard !threads.isEmpty else { throw Failed("the service has no threads of SwiftNIO") }
        let ticks = threads.flatMap { $0.split(separator: ") ").last!.split(separator: " ")[11...12] }.compactMap {
            Double($0)
        }
        return ticks.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    @Test("a metrics file that cannot be written delays no frame and is reported once")
    func disk() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let (rtmp, http) = (try FreePort.tcp(), try FreePort.tcp())
            let folder = try stage.folder.makeFolder("small")
            let file = folder + "/box.prom"
            let config = try stage.configuration(
                channels(sink, rtmp: rtmp), more: "status: { file: \(file), every: 500ms, listen: \(http) }\n")
            let disk = try await PrivateDisk(stage, size: "256k", at: folder, config: config)
            let daemon = disk.daemon
            try await eventually("the source to listen") {
                FreePort.isListening(tcp: rtmp) && FreePort.isListening(tcp: http)
            }
            // The slate has arrived: the target is connected before the source delivers.
            try await sink.waitForFrames(1, of: "one")
            func hasProblem() async throws -> Bool {
                try await HTTP.get(port: http, "/metrics").contains(
                    "streambox_problem{problem=\"status-file\",subject=\"\(file)\"} 1")
            }
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(rtmp)/live/x")
            try await sink.waitForNumbers(30, of: "one")
            for (fault, remedy, words) in [
                (
                    "rm -f box.prom; dd if=/dev/zero of=fill bs=1k count=1000 2>/dev/null; [ -s fill ]",
                    "rm fill", "No space left"
                ),
                // The kernel refuses to remount while the service has the file open.
                (
                    "until mount -o remount,ro \(folder) 2>/dev/null; do sleep 0.1; done",
                    "mount -o remount,rw \(folder)", "Read-only file system"
                ),
                // The service may have a file of that name at this moment.
                ("until mkfifo box.prom.new 2>/dev/null; do sleep 0.1; done", "rm box.prom.new", "is in the way"),
                // The service replaces a pipe that has the name of the file.
                ("mkfifo pipe && mv -f pipe box.prom", "true", ""),
            ] {
                let position = daemon.position
                try await disk.run(fault)
                if !words.isEmpty {
                    try await daemon.logged("cannot", words, from: position)
                    try await eventually("the problem: \(words)") { try await hasProblem() }
                    try await Task.sleep(for: .seconds(2))
                    let logged = daemon.program.errors.lines.filter { $0.index >= position }.map(\.text)
                    // A busy machine may take longer than the half second that a disk may take. That is logged, and the
                    // problem is logged again after it.
                    let interruptions = logged.count { $0.contains("the disk does not answer") }
                    #expect(
                        (1...1 + interruptions).contains(logged.count { $0.contains(words) }), "\(words): \(logged)")
                    try await disk.run(remedy)
                    try await daemon.logged("written again", from: position)
                    try await eventually("no problem: \(words)") { try await !hasProblem() }
                }
                try await eventually("the file") {
                    (try? await disk.run("[ -f box.prom ] && grep -q streambox_build_info box.prom")) != nil
                }
            }
            try await sink.waitForMoreFrames(30, of: "one")
            try await expectWhole(stage, sink, daemon, publisher)
        }
    }

    @Test("a reload moves the status file and port without touching a stream's processes")
    func moved() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: false)
            let (rtmp, old, new) = (try FreePort.tcp(), try FreePort.tcp(), try FreePort.tcp())
            let yaml = channels(sink, rtmp: rtmp)
            let daemon = try await stage.streambox(
                yaml, more: "status: { file: \(stage.folder.path("old.prom")), every: 500ms, listen: \(old) }\n")
            try await daemon.logged("msg=live", "target=a")
            try await eventually("the old file") { stage.folder.names(in: ".").contains("old.prom") }
            let children = Set(daemon.children("pipe:").map(\.pid))
            _ = try stage.configuration(
                yaml, more: "status: { file: \(stage.folder.path("new.prom")), every: 500ms, listen: \(new) }\n")
            let done = try await stage.command(["reload", "--config", daemon.config])
            #expect(done.text.contains("status changed"), "\(done.text)")
            try await eventually("the new places") {
                FreePort.isListening(tcp: new) && !FreePort.isListening(tcp: old)
                    && stage.folder.names(in: ".").filter { $0.hasSuffix(".prom") } == ["new.prom"]
            }
            #expect(children.isSubset(of: Set(daemon.children("pipe:").map(\.pid))))
            // A mistake in the file is a problem until it is fixed.
            _ = try stage.configuration(yaml + "\n    nonsense: 1", more: "status: { listen: \(new) }\n")
            daemon.program.send(SIGHUP)
            try await eventually("the problem") {
                try await HTTP.get(port: new, "/metrics").contains(
                    #"streambox_problem{problem="reload-failed",subject="configuration"} 1"#)
            }
            _ = try stage.configuration(yaml, more: "status: { listen: \(new) }\n")
            #expect(try await stage.command(["reload", "--config", daemon.config]).ending == .exited(0))
            try await eventually("no problem, and no file") {
                try await !HTTP.get(port: new, "/metrics").contains("reload-failed")
                    && !stage.folder.names(in: ".").contains("new.prom")
            }
            try await daemon.terminate()
        }
    }
}
