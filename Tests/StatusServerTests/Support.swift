import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import Status
import StatusServer
import Synchronization
import TestSupport

/// A server on a port of its own, with a status that the test sets.
struct Served: Sendable {
    let port: Int
    let problems = ProblemBoard()
    /// How often a snapshot was taken.
    let asked = Counter()
    /// The snapshot; a test changes it.
    let box: Shown

    final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func add() { count.withLock { $0 += 1 } }
    }

    /// A snapshot that can be replaced; `nil` stands for a supervisor that does not answer.
    final class Shown: Sendable {
        private let snapshot: Mutex<BoxSnapshot?>
        init(_ snapshot: BoxSnapshot?) { self.snapshot = Mutex(snapshot) }
        var now: BoxSnapshot? {
            get { snapshot.withLock { $0 } }
            set { snapshot.withLock { $0 = newValue } }
        }
    }

    static let small = BoxSnapshot(
        version: "1.2.3", ffmpeg: "5.1", started: 1000, updated: 1010,
        channels: [
            ChannelSnapshot(
                name: "main", sources: [SourceSnapshot(id: "rtmp-0", state: .live, isOnAir: true)],
                groups: [
                    GroupSnapshot(
                        name: "hd", state: .live, encoder: "libx264", frames: 90, fps: 30, bitsPerSecond: 6_000_000,
                        uptime: 3,
                        targets: [TargetSnapshot(name: "twitch", state: .live)])
                ])
        ])

    /// A box whose text is about a megabyte.
    static let large: BoxSnapshot = {
        var box = small
        box.channels[0].groups[0].targets = (0..<1500).map { TargetSnapshot(name: "target-\($0)", state: .live) }
        return box
    }()
}

extension ServerLimits {
    /// Limits for tests that are not about time, on a busy machine.
    static var patient: ServerLimits {
        var limits = ServerLimits()
        (limits.request, limits.answer, limits.snapshot) = (.seconds(60), .seconds(60), .seconds(60))
        return limits
    }
}

/// Serves while `body` runs, and ends as the service does.
func serving(
    _ snapshot: BoxSnapshot? = Served.small, port: Int? = nil, limits: ServerLimits = .patient, waits: Bool = true,
    _ body: @escaping @Sendable (Served) async throws -> Void
) async throws {
    let served = Served(port: try port ?? FreePort.tcp(), box: Served.Shown(snapshot))
    let status = SharedStatus {
        served.asked.add()
        while true {
            if var box = served.box.now {
                box.updated += Double(served.asked.value)
                return box
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = StatusServer(
        host: "127.0.0.1", port: served.port, status: status, problems: served.problems, limits: limits, logger: logger)
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [server], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        do {
            if waits { try await eventually("the server to listen") { FreePort.isListening(tcp: served.port) } }
            try await body(served)
        } catch {
            served.box.now = served.box.now ?? Served.small
            let problems = served.problems.problems.map(\.sentence)
            await group.triggerGracefulShutdown()
            if !problems.isEmpty { throw Failed("\(error); the server: \(problems)") }
            throw error
        }
        served.box.now = served.box.now ?? Served.small
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}
