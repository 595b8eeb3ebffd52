import Foundation
import Status
import StatusServer
import TestSupport
import Testing

/// The status of the service over HTTP.
@Suite struct StatusServerTests {
    @Test("metrics, status, health and readiness come from one snapshot")
    func answers() async throws {
        try await serving { served in
            #expect(
                try await HTTP.get(port: served.port, "/metrics").contains(
                    "streambox_group_frames_total{channel=\"main\",group=\"hd\"} 90\n"))
            let status = try await HTTP.get(port: served.port, "/api/status")
            #expect(
                try JSONDecoder().decode(BoxSnapshot.self, from: Data(status.utf8)).channels == Served.small.channels)
            #expect(try await HTTP.get(port: served.port, "/healthz") == "ok\n")
            #expect(try await HTTP.get(port: served.port, "/readyz") == "ready\n")
        }
    }

    @Test("the box is not ready while a wanted group is off air")
    func readiness() async throws {
        var box = Served.small
        box.channels[0].groups[0].state = .degraded
        box.channels[0].groups.append(GroupSnapshot(name: "off", state: .stopped, isWanted: false, encoder: "libx264"))
        try await serving(box) { served in
            #expect(try await HTTP.get(port: served.port, "/readyz") == "ready\n")
            served.box.now?.channels[0].groups[0].state = .stalled
            try await eventually("the box not to be ready") {
                let answer = try await HTTP.exchange(port: served.port, "/readyz")
                return answer.status == 503 && answer.body == "group hd of channel main is stalled\n"
            }
            #expect(try await HTTP.get(port: served.port, "/healthz") == "ok\n")
        }
    }

    @Test("a request after a change sees it, even if a snapshot is being taken")
    func expiry() async throws {
        let box = Served.Shown(Served.small)
        let (beginnings, began) = AsyncStream<Void>.makeStream()
        let (gate, open) = AsyncStream<Void>.makeStream()
        let status = SharedStatus(freshness: .seconds(3600)) {
            let now = box.now ?? Served.small
            began.yield()
            // The second is slow.
            if now.version == "slow" { for await _ in gate { break } }
            return now
        }
        let version: @Sendable () async -> String? = { await status.snapshot(within: .seconds(60))?.version }
        box.now?.version = "first"
        #expect(await version() == "first")
        box.now?.version = "slow"
        #expect(await version() == "first")
        await status.expire()
        async let early = version()
        for await _ in beginnings.dropFirst() { break }
        box.now?.version = "last"
        await status.expire()
        async let late = version()
        open.yield()
        #expect(await early == "last")
        #expect(await late == "last")
    }

    @Test("other methods are rejected, and other paths are not found")
    func readOnly() async throws {
        try await serving { served in
            for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
                let client = try await RawClient.connected(to: served.port)
                client.send(
                    "\(method) /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab")
                let answer = await client.read()
                #expect(
                    answer.text.hasPrefix("HTTP/1.1 405 ") && answer.text.contains("GET, HEAD"),
                    "\(method): \(answer.text)")
            }
            #expect(try await HTTP.exchange(port: served.port, "/").status == 404)
            #expect(try await HTTP.exchange(port: served.port, "/metrics/../api/status").status == 404)
            let client = try await RawClient.connected(to: served.port)
            client.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let head = await client.read()
            #expect(
                head.isClosed && head.text.contains("200") && head.text.lowercased().contains("content-length: ")
                    && head.text.hasSuffix("\r\n\r\n"))
        }
    }

    @Test("many clients share a few snapshots per second")
    func shared() async throws {
        try await serving { served in
            let start = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<8 {
                    tasks.addTask { for _ in 0..<40 { _ = try await HTTP.get(port: served.port, "/metrics") } }
                }
                try await tasks.waitForAll()
            }
            let periods = (ContinuousClock.now - start) / SharedStatus.freshness
            #expect(Double(served.asked.value) <= periods + 2)
        }
    }

    @Test("requests report a supervisor that hangs, and the service can still end")
    func hung() async throws {
        var limits = ServerLimits.patient
        limits.snapshot = .milliseconds(100)
        try await serving(nil, limits: limits) { served in
            for path in ["/healthz", "/readyz", "/metrics", "/api/status"] {
                let answer = try await HTTP.exchange(port: served.port, path)
                #expect(answer.status == 503 && answer.body.contains("does not answer"), "\(path): \(answer)")
            }
            served.box.now = Served.small
            try await eventually("an answer") { try await HTTP.exchange(port: served.port, "/healthz").status == 200 }
        }
    }

    @Test("a port in use is a problem until it is free, and is then served")
    func taken() async throws {
        let port = try FreePort.tcp()
        let other = try Listener(port: port)
        try await serving(port: port, waits: false) { served in
            try await eventually("the problem") { !served.problems.problems.isEmpty }
            #expect(served.problems.problems[0].sentence.contains("127.0.0.1:\(port): Address already in use"))
            other.end()
            try await eventually("the server") { (try? await HTTP.get(port: port, "/healthz")) == "ok\n" }
            #expect(served.problems.problems.isEmpty)
        }
    }

    /// Another program that uses a port.
    private final class Listener: Sendable {
        private let descriptor: Int32

        init(port: Int) throws {
            descriptor = try listener(port: port)
        }

        func end() { close(descriptor) }
    }
}
