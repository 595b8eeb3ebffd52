import Glibc
import Synchronization

/// The service's side of the conversation with the manager that started it: `Type=notify`, reloads, status, watchdog.
///
/// Says only what is true at the moment: nothing is ready before ``ready()`` or after ``stopping(_:)``, and a reload
/// ends only what a reload began.
package final class ServiceManager: Sendable {
    /// How often the manager wants to hear that the service is alive; `nil` where it does not.
    package let watchdog: Duration?

    private let send: @Sendable (NotifyMessage) -> Bool
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    private struct State {
        var phase = Phase.starting
        /// Reloads that are under way.
        var reloads = 0
        /// The end of a reload that the manager's socket had no room for.
        var unsentEnd: NotifyMessage?
        /// What was told last.
        var status: String?
    }

    private enum Phase {
        case starting, running, stopping
    }

    /// - Parameter environment: Of the process, as the manager made it.
    /// - Returns: `nil` where no manager listens.
    package convenience init?(environment: [String: String]) {
        guard let name = environment["NOTIFY_SOCKET"], let socket = NotifySocket(name) else { return nil }
        self.init(watchdog: Self.watchdog(environment, getpid())) { socket.send($0) }
    }

    /// - Parameter now: Microseconds of the monotonic clock.
    init(
        watchdog: Duration? = nil, now: @escaping @Sendable () -> Int64 = ServiceManager.monotonicMicroseconds,
        send: @escaping @Sendable (NotifyMessage) -> Bool
    ) {
        self.watchdog = watchdog
        self.now = now
        self.send = send
    }

    /// `WATCHDOG_USEC`, where it is meant for this process and not for one that it came from.
    static func watchdog(_ environment: [String: String], _ process: Int32) -> Duration? {
        guard let text = environment["WATCHDOG_USEC"], let microseconds = Int64(text), microseconds > 0 else {
            return nil
        }
        if let owner = environment["WATCHDOG_PID"], owner != "\(process)" { return nil }
        return .microseconds(microseconds)
    }

    package static func monotonicMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// Whether ``ready()`` has been heard.
    package var isReady: Bool { state.withLock { $0.phase != .starting } }

    /// The service does what it is for. To be called again until it is heard.
    package func ready() {
        state.withLock { state in
            guard state.phase == .starting, send(.ready) else { return }
            state.phase = .running
        }
    }

    /// How the service is, in a sentence; sent where it is news.
    package func tell(_ status: String) {
        state.withLock { state in
            guard state.phase != .stopping, state.reloads == 0 else { return }
            sendEnd(&state)
            guard state.status != status, send(.status(status)) else { return }
            state.status = status
        }
    }

    /// A reload begins. Before the service is ready it is part of the start.
    ///
    /// Sent for a second reload during the first as well: with `Type=notify-reload` the manager waits for a
    /// `RELOADING=1` that is later than its signal, so the first one's does not count for it.
    package func reloading(_ status: String) {
        state.withLock { state in
            guard state.phase == .running else { return }
            state.reloads += 1
            state.status = nil
            state.unsentEnd = nil
            _ = send(.reloading(at: now()) + .status(status))
        }
    }

    /// The last reload that was under way has ended: done, or refused.
    package func reloaded(_ status: String) {
        state.withLock { state in
            guard state.reloads > 0 else { return }
            state.reloads -= 1
            guard state.reloads == 0, state.phase == .running else { return }
            state.unsentEnd = .ready + .status(status)
            sendEnd(&state)
        }
    }

    /// Sends the end of a reload until the manager has it: `systemctl reload` waits for it.
    private func sendEnd(_ state: inout State) {
        if let end = state.unsentEnd, send(end) { state.unsentEnd = nil }
    }

    /// The service ends; nothing else is said after this.
    package func stopping(_ status: String) {
        state.withLock { state in
            guard state.phase != .stopping else { return }
            state.phase = .stopping
            state.unsentEnd = nil
            _ = send(.stopping + .status(status))
        }
    }

    /// The service's loop has come round. A start that goes on takes as long as it takes: while nothing is there to
    /// show, the service is not to be ended for that.
    package func alive() {
        let isStarting = state.withLock { $0.phase == .starting }
        if isStarting, let watchdog { _ = send(.alive + .extend(watchdog)) } else { _ = send(.alive) }
    }
}
