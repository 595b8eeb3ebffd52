/// The status of the service for any number of clients, which share one recent snapshot.
package actor SharedStatus {
    /// The greatest age of a snapshot that is shared.
    package static let freshness = Duration.milliseconds(200)

    private let take: @Sendable () async -> BoxSnapshot
    private let freshness: Duration
    private let clock = ContinuousClock()
    private var latest: (snapshot: BoxSnapshot, at: ContinuousClock.Instant)?
    /// The callers that wait for the snapshot that is being taken.
    private var waiting: [Int: AsyncStream<BoxSnapshot>.Continuation] = [:]
    private var lastWait = 0
    /// The number of calls of ``expire()``.
    private var turn = 0
    private var isTaking = false

    /// - Parameter take: Takes a snapshot, by asking the supervisor.
    package init(freshness: Duration = SharedStatus.freshness, take: @escaping @Sendable () async -> BoxSnapshot) {
        self.freshness = freshness
        self.take = take
    }

    /// Returns a snapshot that is at most ``freshness`` old.
    ///
    /// - Returns: `nil` if the supervisor did not answer within the limit, or the task was cancelled.
    package func snapshot(within limit: Duration) async -> BoxSnapshot? {
        if let latest, clock.now - latest.at < freshness { return latest.snapshot }
        let (answers, answer) = AsyncStream<BoxSnapshot>.makeStream()
        lastWait += 1
        let number = lastWait
        waiting[number] = answer
        // Callers that gave up must not accumulate while the supervisor hangs.
        defer { waiting[number] = nil }
        if !isTaking { takeOne() }
        return await withTaskGroup { tasks in
            tasks.addTask { await answers.first { _ in true } }
            tasks.addTask { [clock] in
                try? await clock.sleep(for: limit)
                return nil
            }
            let first = await tasks.next() ?? nil
            tasks.cancelAll()
            return first
        }
    }

    /// Discards the latest snapshot after a change by the operator, so that later callers see the change.
    package func expire() {
        turn += 1
        latest = nil
    }

    private func takeOne() {
        isTaking = true
        // An unstructured task: it continues for later callers when the first caller gives up.
        Task { [turn] in self.took(await self.take(), in: turn) }
    }

    private func took(_ snapshot: BoxSnapshot, in turn: Int) {
        guard turn == self.turn else { return takeOne() }
        isTaking = false
        latest = (snapshot, clock.now)
        for answer in waiting.values {
            answer.yield(snapshot)
            answer.finish()
        }
        waiting = [:]
    }
}
