/// The service's status for any number of askers: taken once in a while, however many ask.
public actor SharedStatus {
    /// How old an answer may be.
    public static let freshness = Duration.milliseconds(200)

    private let take: @Sendable () async -> BoxSnapshot
    private let freshness: Duration
    private let clock = ContinuousClock()
    private var latest: (snapshot: BoxSnapshot, at: ContinuousClock.Instant)?
    /// Those who wait for the one that is being taken.
    private var waiting: [AsyncStream<BoxSnapshot>.Continuation] = []
    private var isTaking = false
    /// Something was changed after the one that is being taken began.
    private var isOutdated = false

    /// - Parameter take: Asks the supervisor.
    public init(freshness: Duration = SharedStatus.freshness, take: @escaping @Sendable () async -> BoxSnapshot) {
        self.freshness = freshness
        self.take = take
    }

    /// The service as it was at most ``freshness`` ago.
    ///
    /// - Returns: `nil` when the supervisor gave none within the limit, or the task was cancelled.
    public func snapshot(within limit: Duration) async -> BoxSnapshot? {
        if let latest, clock.now - latest.at < freshness { return latest.snapshot }
        let (answers, answer) = AsyncStream<BoxSnapshot>.makeStream()
        waiting.append(answer)
        if !isTaking {
            isTaking = true
            // Nobody's child: it goes on when the one who asked first has no more patience, for those who came later.
            Task { self.took(await self.take()) }
        }
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

    /// Somebody has changed something: who asks from now on is told what has become of it.
    public func expire() {
        latest = nil
        isOutdated = isTaking
    }

    private func took(_ snapshot: BoxSnapshot) {
        guard !isOutdated else {
            isOutdated = false
            Task { self.took(await self.take()) }
            return
        }
        isTaking = false
        latest = (snapshot, clock.now)
        for answer in waiting {
            answer.yield(snapshot)
            answer.finish()
        }
        waiting = []
    }
}
