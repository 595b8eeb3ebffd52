/// The service's status for any number of askers: taken once in a while, however many ask.
package actor SharedStatus {
    /// How old an answer may be.
    package static let freshness = Duration.milliseconds(200)

    private let take: @Sendable () async -> BoxSnapshot
    private let freshness: Duration
    private let clock = ContinuousClock()
    private var latest: (snapshot: BoxSnapshot, at: ContinuousClock.Instant)?
    /// Those who wait for the one that is being taken.
    private var waiting: [Int: AsyncStream<BoxSnapshot>.Continuation] = [:]
    private var lastWait = 0
    /// Counts the times that something was changed on purpose.
    private var turn = 0
    private var isTaking = false

    /// - Parameter take: Asks the supervisor.
    package init(freshness: Duration = SharedStatus.freshness, take: @escaping @Sendable () async -> BoxSnapshot) {
        self.freshness = freshness
        self.take = take
    }

    /// The service as it was at most ``freshness`` ago.
    ///
    /// - Returns: `nil` when the supervisor gave none within the limit, or the task was cancelled.
    package func snapshot(within limit: Duration) async -> BoxSnapshot? {
        if let latest, clock.now - latest.at < freshness { return latest.snapshot }
        let (answers, answer) = AsyncStream<BoxSnapshot>.makeStream()
        lastWait += 1
        let number = lastWait
        waiting[number] = answer
        // Who has no more patience is not to be remembered for as long as the supervisor hangs.
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

    /// Something was changed on purpose: whoever asks from now on is not told of how it was before.
    package func expire() {
        turn += 1
        latest = nil
    }

    private func takeOne() {
        isTaking = true
        // Nobody's child: it goes on when the one who asked first has no more patience, for those who came later.
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
