import Synchronization

@testable import Supervision

/// A clock that a test advances by hand.
final class ManualClock: ServiceClock {
    private struct Sleeper {
        var deadline: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        var isAwaited: @Sendable (Duration) -> Bool
        var continuation: CheckedContinuation<Duration, Never>
    }

    private struct State {
        var now = ContinuousClock.now
        var sleepers: [Int: Sleeper] = [:]
        var watchers: [Watcher] = []
        var count = 0
        /// Sleeps whose task was cancelled before they began.
        var cancelled: Set<Int> = []
    }

    typealias Instant = ContinuousClock.Instant

    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    let minimumResolution = Duration.nanoseconds(1)

    /// The time until each sleep ends, the shortest first.
    var sleeps: [Duration] {
        state.withLock { state in state.sleepers.values.map { $0.deadline - state.now }.sorted() }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.count += 1
            return state.count
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                begin(Sleeper(deadline: deadline, continuation: continuation), id)
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    private func begin(_ sleeper: Sleeper, _ id: Int) {
        enum Beginning {
            case cancelled, over
            case asleep(Duration, [Watcher])
        }
        let beginning = state.withLock { state -> Beginning in
            if state.cancelled.remove(id) != nil { return .cancelled }
            let left = sleeper.deadline - state.now
            if left <= .zero { return .over }
            state.sleepers[id] = sleeper
            let watchers = state.watchers.filter { $0.isAwaited(left) }
            state.watchers.removeAll { $0.isAwaited(left) }
            return .asleep(left, watchers)
        }
        switch beginning {
        case .cancelled: sleeper.continuation.resume(throwing: CancellationError())
        case .over: sleeper.continuation.resume()
        case .asleep(let left, let watchers):
            for watcher in watchers { watcher.continuation.resume(returning: left) }
        }
    }

    /// Waits until something sleeps whose time to go fits, and returns that time.
    @discardableResult
    func untilSleeping(where isAwaited: @escaping @Sendable (Duration) -> Bool) async -> Duration {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Duration? in
                let known = state.sleepers.values.map { $0.deadline - state.now }.first(where: isAwaited)
                if known == nil { state.watchers.append(Watcher(isAwaited: isAwaited, continuation: continuation)) }
                return known
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Waits until something sleeps that has this long to go.
    func untilSleeping(for duration: Duration) async { await untilSleeping { $0 == duration } }

    /// Moves the time on, and wakes what has slept long enough, the earliest first.
    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now += duration
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.sorted { $0.deadline < $1.deadline }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Waits until something sleeps that has this long to go, and moves the time on by as much.
    func pass(_ duration: Duration) async {
        await untilSleeping(for: duration)
        advance(by: duration)
    }
}
