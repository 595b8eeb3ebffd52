import Glibc
import Synchronization

/// Notifies the service manager that started the service: `Type=notify`, reloads, status, watchdog.
///
/// Keeps the order that the manager expects: nothing is ready before ``ready()`` or after ``stopping(_:)``, and the end
/// of a reload follows its begin.
package final class ServiceManager: Sendable {
    /// The longest time between two signs of life that the manager accepts. `nil` without a watchdog.
    package let watchdog: Duration?

    private let send: @Sendable (NotifyMessage) -> Bool
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    private struct State {
        var phase = Phase.starting
        /// The number of reloads that are running.
        var reloads = 0
        /// The end of a reload that could not be sent yet, because the manager's socket had no room.
        var unsentEnd: NotifyMessage?
        /// The status that was sent last.
        var status: String?
    }

    private enum Phase {
        case starting, running, stopping
    }

    /// - Parameter environment: The environment that the manager gave to this process.
    /// - Returns: `nil` without a manager.
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

    /// The value of `WATCHDOG_USEC`, if it is for this process and not inherited from another one.
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

    /// Whether the manager has received ``ready()``.
    package var isReady: Bool { state.withLock { $0.phase != .starting } }

    /// Notifies the manager that the service is on air. Called again until ``isReady``.
    package func ready() {
        state.withLock { state in
            guard state.phase == .starting, send(.ready) else { return }
            state.phase = .running
        }
    }

    /// Sends the status of the service as a sentence, if it has changed.
    package func update(_ status: String) {
        state.withLock { state in
            guard state.phase != .stopping, state.reloads == 0 else { return }
            sendEnd(&state)
            guard state.status != status, send(.status(status)) else { return }
            state.status = status
        }
    }

    /// Notifies the manager that a reload begins. Before the service is ready, a reload is part of the start.
    ///
    /// Also sent for a second reload during the first: with `Type=notify-reload` the manager waits for a `RELOADING=1`
    /// that is later than its signal, so the message of the first reload does not count.
    package func reloading(_ status: String) {
        state.withLock { state in
            guard state.phase == .running else { return }
            state.reloads += 1
            state.status = nil
            state.unsentEnd = nil
            _ = send(.reloading(at: now()) + .status(status))
        }
    }

    /// Notifies the manager that a reload has ended, with or without success. Sent when the last running reload ends.
    package func reloaded(_ status: String) {
        state.withLock { state in
            guard state.reloads > 0 else { return }
            state.reloads -= 1
            guard state.reloads == 0, state.phase == .running else { return }
            state.unsentEnd = .ready + .status(status)
            sendEnd(&state)
        }
    }

    /// Sends the end of a reload, again until it succeeds: `systemctl reload` waits for it.
    private func sendEnd(_ state: inout State) {
        if let end = state.unsentEnd, send(end) { state.unsentEnd = nil }
    }

    /// Notifies the manager that the service ends. Nothing else is sent after this.
    package func stopping(_ status: String) {
        state.withLock { state in
            guard state.phase != .stopping else { return }
            state.phase = .stopping
            state.unsentEnd = nil
            _ = send(.stopping + .status(status))
        }
    }

    /// Notifies the manager that the loop of the service runs. During the start it also extends the limit of the start:
    /// a service must not be ended because no source delivers yet.
    package func alive() {
        let isStarting = state.withLock { $0.phase == .starting }
        if isStarting, let watchdog { _ = send(.alive + .extend(watchdog)) } else { _ = send(.alive) }
    }
}
