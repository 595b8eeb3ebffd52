import ArgumentParser
import Foundation
import TestSupport

/// Attacks the RTMP port while a publisher is on air.
struct Ingest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Endless wrong keys and half-open connections: the loss of the live publisher, and their cost.")

    @OptionGroup var product: Product
    @Option(help: "Attempts with a wrong key.") var attempts = 10_000
    @Option(help: "Seconds of the wrong keys, and of the half-open connections.") var seconds = 60
    @Option(help: "Addresses of the attackers.") var addresses = 32
    @Option(help: "Half-open connections.") var halfOpen = 200

    private static let key = "the-right-key"

    func run() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let key = try stage.folder.write("key", Self.key, mode: 0o600)
            let metrics = stage.folder.path("box.prom")
            let config = try stage.folder.write(
                "box.yaml",
                """
                runtime: \(stage.folder.path("run"))
                state: \(stage.folder.path("state"))
                status: { file: \(metrics), every: 500ms }
                channels:
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live, key: { file: \(key) } } } ]
                    groups: [ { name: raw, video: copy, audio: copy,
                      targets: [ { name: sink, url: "\(sink.url("one"))" } ] } ]
                """)
            let daemon = try await stage.program(product.streambox, ["run", "--config", config])
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            let publisher = try await stage.publish(
                .with {
                    $0.duration = nil
                    $0.width = 640
                    $0.height = 360
                    $0.gop = 30
                }, to: "rtmp://127.0.0.1:\(port)/live/\(Self.key)")
            try await daemon.errors.first(containing: "\"on air\" channel=main source=rtmp-0", within: .seconds(30))
            try await Task.sleep(for: .seconds(5))
            let quiet = try await cost(of: daemon, for: 5) { try await Task.sleep(for: .seconds(5)) }
            let flood = try await cost(of: daemon, for: seconds) { try await self.flood(port) }
            let held = try await cost(of: daemon, for: seconds) { try await self.holdOpen(port) }
            try await Task.sleep(for: .seconds(2))
            let refusals = Self.refusals(metrics)
            let log = daemon.errors.lines.count { $0.text.contains("publisher rejected") }
            publisher.send(SIGTERM)
            _ = try await publisher.wait(.seconds(10))
            try await Task.sleep(for: .seconds(1))
            daemon.send(SIGTERM)
            _ = try await daemon.wait(.seconds(10))
            let verdict = Verdict(try await FrameReader.read(.url(sink.recordings(of: "one")[0])))
            print(
                """
                ingest: 640x360p30 copied to one target; \(attempts) wrong keys in \(seconds) s from \(addresses) \
                addresses, then \(halfOpen) half-open connections for \(seconds) s
                  frames                  \(verdict.received), numbers \(verdict.first ?? 0)...\(verdict.last ?? 0)
                  lost, twice             \(verdict.lostCount), \(verdict.duplicated.count) (to be 0, 0)
                  publishes at the target \(try sink.publishes(of: "one").count) (to be 1)
                  processor, a core       quiet \(quiet.text), wrong keys \(flood.text), half-open \(held.text)
                  resident, most          quiet \(quiet.resident >> 10) KB, wrong keys \(flood.resident >> 10) KB, \
                half-open \(held.resident >> 10) KB
                  descriptors, most       quiet \(quiet.descriptors), wrong keys \(flood.descriptors), half-open \
                \(held.descriptors)
                  refused                 \
                \(refusals.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
                  lines in the log        \(log)
                """)
        }
    }

    // MARK: Attacks

    private static let threads = 256

    private func flood(_ port: Int) async throws {
        let bytes = RTMPStranger.asking(for: "another-key-of-the-same-sort")
        let start = ContinuousClock.now
        let (pace, attempts, addresses) = (Duration.seconds(seconds) / attempts, attempts, addresses)
        await withTaskGroup { group in
            for first in 0..<Self.threads {
                group.addTask {
                    await onThread {
                        for number in stride(from: first, to: attempts, by: Self.threads) {
                            let early = (start + pace * number - .now).inSeconds
                            if early > 0 { usleep(UInt32(early * 1e6)) }
                            _ = try? RTMPStranger.ask(
                                port, bytes, from: address(number, of: addresses), patience: .seconds(2))
                        }
                    }
                }
            }
        }
        print("\(attempts) wrong keys in \((ContinuousClock.now - start).inSeconds.formatted(1)) s")
    }

    /// Holds connections that send nothing or stop in the middle of the handshake, and opens closed ones again.
    private func holdOpen(_ port: Int) async throws {
        var open: [Int32] = []
        defer { for connection in open { close(connection) } }
        let end = ContinuousClock.now + .seconds(seconds)
        var number = 0
        while ContinuousClock.now < end {
            open.removeAll { connection in
                var byte: UInt8 = 0
                guard
                    recv(connection, &byte, 1, Int32(MSG_DONTWAIT | MSG_PEEK)) == 0
                        || (errno != EAGAIN && errno != EWOULDBLOCK)
                else { return false }
                close(connection)
                return true
            }
            while open.count < halfOpen {
                guard let connection = try? connect(port: port, from: address(number, of: addresses)) else { break }
                if number % 2 == 0 {
                    _ = send(connection, [3] + [UInt8](repeating: 0, count: 700), 701, Int32(MSG_NOSIGNAL))
                }
                open.append(connection)
                number += 1
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        print("\(number) connections opened to hold \(halfOpen)")
    }

    // MARK: Cost

    private struct Cost {
        /// The share of a core.
        var share: Double
        /// The highest values, in bytes and as a number.
        var resident: Int
        var descriptors: Int
        var text: String { "\((share * 100).formatted(2)) %" }
    }

    private func cost(of daemon: TestProcess, for seconds: Int, _ body: @escaping @Sendable () async throws -> Void)
        async throws -> Cost
    {
        let before = try ProcessFigures(pid: daemon.pid)
        let start = ContinuousClock.now
        let watching = Task {
            var most = (resident: before.resident, descriptors: 0)
            while !Task.isCancelled {
                most.resident = max(most.resident, try ProcessFigures(pid: daemon.pid).resident)
                most.descriptors = max(
                    most.descriptors,
                    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.pid)/fd").count)
                try? await Task.sleep(for: .milliseconds(200))
            }
            return most
        }
        do { try await body() } catch {
            watching.cancel()
            throw error
        }
        watching.cancel()
        let most = try await watching.value
        let after = try ProcessFigures(pid: daemon.pid)
        let length = (ContinuousClock.now - start).inSeconds
        return Cost(share: (after.cpu - before.cpu) / length, resident: most.resident, descriptors: most.descriptors)
    }

    private static func refusals(_ path: String) -> [String: Int] {
        var found: [String: Int] = [:]
        for line in ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n") {
            if let match = line.firstMatch(of: /^streambox_ingest_refusals_total{.*reason="([a-z]+)"} (\d+)$/) {
                found[String(match.1)] = Int(match.2)
            }
        }
        return found
    }
}

/// Returns an address of the loopback network.
private func address(_ number: Int, of count: Int) -> UInt32 { 0x7F00_0002 + UInt32(number % count) }

/// Runs blocking work on a thread of its own.
private func onThread(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { done in
        Thread.detachNewThread {
            body()
            done.resume()
        }
    }
}
