/// A part of the service that runs until it is asked to end.
package protocol Runnable: Sendable {
    /// Returns after ``finish()``, once all its work has ended.
    func run() async
    func finish()
}

/// Runs runners one after the other. The next one starts after the one before has ended, so that its port, file or name
/// is free.
package final class RunnerSlot<Runner: Runnable>: Sendable {
    private let runners: AsyncStream<Runner>
    private let queue: AsyncStream<Runner>.Continuation
    private let hasEnded: AsyncStream<Never>
    private let end: AsyncStream<Never>.Continuation

    package init(_ first: Runner) {
        (runners, queue) = AsyncStream.makeStream()
        (hasEnded, end) = AsyncStream.makeStream()
        queue.yield(first)
    }

    /// Runs the runners that the slot gets, until ``close()``.
    package func run() async {
        for await runner in runners { await runner.run() }
        end.finish()
    }

    /// Adds the next runner. The previous runner has to be asked to end first.
    package func follow(with next: Runner) { queue.yield(next) }

    /// Accepts no further runners.
    package func close() { queue.finish() }

    /// Waits until the last runner has ended. Only one caller may wait.
    package func wait() async {
        for await _ in hasEnded {}
    }
}
