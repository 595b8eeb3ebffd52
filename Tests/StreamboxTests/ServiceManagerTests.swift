import Foundation
import TestSupport
import Testing

/// The messages of the service to the service manager that started it.
@Suite(.tags(.ffmpeg)) struct ServiceManagerTests {
    @Test("systemd is notified of ready with the slate on air, alive, reloading, stopping")
    func conversation() async throws {
        try await withStage { stage in
            let manager = try NotifyListener(stage.folder.path("notify"))
            let port = try FreePort.tcp()
            let channels = """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)" } } ]
                    groups: [ { name: hd, video: copy, audio: copy, tap: true } ]
                """
            let daemon = try await stage.streambox(
                channels, environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000", "WATCHDOG_PID": nil])
            try await eventually("the service to be ready") { manager.heard.contains("READY=1") }
            #expect(!manager.heard.contains { $0.contains("RELOADING") })
            try await eventually("its status") { manager.heard.contains { $0.hasPrefix("STATUS=main shows slate") } }
            let beats = manager.count(of: "WATCHDOG=1")
            try await eventually("signs of life") { manager.count(of: "WATCHDOG=1") > beats + 5 }

            var position = manager.heard.count
            daemon.program.send(SIGHUP)
            try await eventually("a reload and its end") {
                let news = manager.heard.dropFirst(position)
                guard let start = news.firstIndex(where: { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") }) else {
                    return false
                }
                return news[start...].contains { $0.hasPrefix("READY=1\nSTATUS=reloaded: nothing differs") }
            }
            try (String(contentsOfFile: daemon.config, encoding: .utf8) + "chanels: []\n").write(
                toFile: daemon.config, atomically: false, encoding: .utf8)
            position = manager.heard.count
            daemon.program.send(SIGHUP)
            try await eventually("the reload to be refused") {
                manager.heard.dropFirst(position).contains {
                    $0.hasPrefix("READY=1\nSTATUS=not reloaded") && $0.contains("chanels")
                }
            }
            try await eventually("that to stay where people look") {
                manager.heard.last { $0.hasPrefix("STATUS=") }?.contains("chanels") ?? false
            }

            position = manager.heard.count
            daemon.program.send(SIGTERM)
            // The socket queues a few messages for a reader that is late, and then takes no more.
            try await eventually("the message of the stop") {
                manager.heard.dropFirst(position).contains { $0.hasPrefix("STOPPING=1") }
            }
            #expect(try await daemon.program.wait() == .exited(0))
            let last = manager.heard.dropFirst(position).filter { $0 != "WATCHDOG=1" }
            #expect(last.last?.hasPrefix("STOPPING=1\nSTATUS=") ?? false, "\(last)")
        }
    }

    @Test("a service that is stopped from outside sends no watchdog message")
    func frozen() async throws {
        try await withStage { stage in
            let manager = try NotifyListener(stage.folder.path("notify"))
            let daemon = try await stage.streambox(
                "  - { name: main, sources: [ { rtmp: { listen: \"127.0.0.1:\(try FreePort.tcp())\" } } ], tap: true }",
                environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "100000"])
            try await eventually("signs of life") { manager.count(of: "WATCHDOG=1") > 3 }
            daemon.program.send(SIGSTOP)
            // Every thread has to be stopped: one may be about to send a message.
            let tasks = "/proc/\(daemon.program.pid)/task"
            try await eventually("the service to be stopped") {
                try FileManager.default.contentsOfDirectory(atPath: tasks).allSatisfy {
                    KernelFile.text("\(tasks)/\($0)/stat")?.contains(") T ") == true
                }
            }
            let beats = manager.count(of: "WATCHDOG=1")
            try await Task.sleep(for: .milliseconds(300))
            #expect(manager.count(of: "WATCHDOG=1") == beats)
            daemon.program.send(SIGCONT)
            try await eventually("signs of life again") { manager.count(of: "WATCHDOG=1") > beats + 3 }
            try await daemon.terminate()
        }
    }
}

/// The service manager's end of the socket. Keeps every message.
private final class NotifyListener {
    let path: String
    private let descriptor: CInt
    private var messages: [String] = []

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard status == 0 else { throw Failed("no socket at \(path)") }
    }

    deinit { close(descriptor) }

    /// Every message so far.
    var heard: [String] {
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            guard count >= 0 else { return messages }
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }

    func count(of message: String) -> Int { heard.count { $0 == message } }
}
