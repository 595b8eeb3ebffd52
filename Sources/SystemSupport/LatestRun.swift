/// Runs one job again and again, never two at a time, so that what was wanted last is what is done last.
///
/// A call that comes while the job runs waits for a run that begins afterwards, and shares it with all others that
/// wait: that run sees everything that its callers did before they called, and its outcome is true for each of them.
package actor LatestRun<Output: Sendable> {
    private let job: @Sendable () async throws -> Output
    private var isRunning = false
    private var lastCaller = 0
    /// Callers of the run in progress, and of the next.
    private var served: [Int: CheckedContinuation<Output, any Error>] = [:]
    private var waiting: [Int: CheckedContinuation<Output, any Error>] = [:]

    package init(_ job: @escaping @Sendable () async throws -> Output) {
        self.job = job
    }

    /// Has the job run once from its beginning.
    ///
    /// - Throws: What the job throws; `CancellationError` when the caller is cancelled, while the job goes on.
    package func callAsFunction() async throws -> Output {
        lastCaller += 1
        let caller = lastCaller
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                waiting[caller] = continuation
                runUnlessRunning()
            }
        } onCancel: {
            Task { await self.leave(caller) }
        }
    }

    private func runUnlessRunning() {
        guard !isRunning else { return }
        isRunning = true
        // A task of its own: one caller that is cancelled takes the run from none of the others.
        Task { await runWhileWanted() }
    }

    private func runWhileWanted() async {
        while !waiting.isEmpty {
            (served, waiting) = (waiting, [:])
            let result: Result<Output, any Error>
            do {
                result = .success(try await job())
            } catch {
                result = .failure(error)
            }
            for continuation in served.values { continuation.resume(with: result) }
            served = [:]
        }
        isRunning = false
    }

    private func leave(_ caller: Int) {
        let continuation = waiting.removeValue(forKey: caller) ?? served.removeValue(forKey: caller)
        continuation?.resume(throwing: CancellationError())
    }

    /// How many callers wait for the next run; for tests.
    var waitingCount: Int { waiting.count }
}
