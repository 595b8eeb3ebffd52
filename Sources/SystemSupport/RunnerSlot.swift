/// Something that runs until it is told to end.
package protocol Runnable: Sendable {
    /// Returns once everything of it has ended, after ``finish()``.
    func run() async
    func finish()
}

/// A place for runners that come one after the other: the next one starts once the one before has ended, so that it
/// finds the port, the file or the name free.
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

    /// Runs what the slot is given, until ``close()``.
    package func run() async {
        for await runner in runners { await runner.run() }
        end.finish()
    }

    /// The next runner; the one before has to be told to end.
    package func follow(with next: Runner) { queue.yield(next) }

    /// No further runner comes.
    package func close() { queue.finish() }

    /// Waits until the last runner has ended. For one caller.
    package func wait() async {
        for await _ in hasEnded {}
    }
}
