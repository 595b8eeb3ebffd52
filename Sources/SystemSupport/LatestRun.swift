/// Runs one job repeatedly, never twice at the same time, so that the latest request decides the final result.
///
/// A call during a run waits for the next run, and shares it with all other waiting calls. That run sees everything
/// that its callers did before they called, so its result is valid for each of them.
package actor LatestRun<Output: Sendable> {
    private let job: @Sendable () async throws -> Output
    private var isRunning = false
    private var lastCaller = 0
    /// The callers of the present run.
    private var served: [Int: CheckedContinuation<Output, any Error>] = [:]
    /// The callers that wait for the next run.
    private(set) var waiting: [Int: CheckedContinuation<Output, any Error>] = [:]

    package init(_ job: @escaping @Sendable () async throws -> Output) {
        self.job = job
    }

    /// Runs the job once from its beginning.
    ///
    /// - Throws: The job's error. `CancellationError` if the caller is cancelled, while the job continues.
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
        // A task of its own, so that a cancelled caller does not end the run of the others.
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
}
