import Glibc

/// Runs code that may block, because of a driver or a disk, on a thread of its own. Swift's few task threads stay free.
package enum BlockingIO {
    package static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            let work = Work { continuation.resume(returning: body()) }
            let context = Unmanaged.passRetained(work).toOpaque()
            var thread = pthread_t()
            let status = pthread_create(
                &thread, nil,
                { context in
                    Unmanaged<Work>.fromOpaque(context!).takeRetainedValue().body()
                    return nil
                }, context)
            guard status == 0 else {
                // No thread could be created, so the work runs on this one.
                Unmanaged<Work>.fromOpaque(context).release()
                return work.body()
            }
            pthread_detach(thread)
        }
    }

    /// - Returns: `nil` if it takes longer than the limit. The thread then ends on its own.
    package static func run<Result: Sendable>(atMost limit: Duration, _ body: @escaping @Sendable () -> Result) async
        -> Result?
    {
        await wait(atMost: limit) { await run(body) }
    }

    /// Waits for an operation that may take long.
    ///
    /// - Returns: `nil` if it takes longer than the limit. The operation then continues.
    package static func wait<Result: Sendable>(
        atMost limit: Duration, for body: @escaping @Sendable () async -> Result
    ) async -> Result? {
        let (results, queue) = AsyncStream.makeStream(of: Result?.self, bufferingPolicy: .bufferingOldest(1))
        Task { queue.yield(await body()) }
        let timer = Task {
            guard await (try? ContinuousClock().sleep(for: limit)) != nil else { return }
            queue.yield(nil)
        }
        defer { timer.cancel() }
        for await result in results { return result }
        return nil
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }
}
