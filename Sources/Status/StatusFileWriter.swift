import Dispatch
import Synchronization

/// Writes texts to a disk that may hang, one at a time, on a thread that may hang with it.
package final class StatusFileWriter: Sendable {
    /// The result of an attempt to write a text.
    package enum Outcome: Sendable, Hashable {
        case written
        case failed(String)
        /// The previous text is still being written; this one was skipped.
        case busy
    }

    private let queue = DispatchQueue(label: "status-file")
    private let isBusy = Mutex(false)
    private let write: @Sendable ([UInt8]) throws -> Void

    /// - Parameter write: Publishes a text, and may block for any time.
    package init(write: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.write = write
    }

    /// Writes a text, and waits no longer than the limit. After that, the writing continues.
    package func publish(_ text: [UInt8], within limit: Duration) async -> Outcome {
        let isFree = isBusy.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
        guard isFree else { return .busy }
        return await attempt(within: limit) { [self] in
            defer { isBusy.withLock { $0 = false } }
            do {
                try write(text)
                return .written
            } catch {
                return .failed("\(error)")
            }
        }
    }

    /// Runs `last` after the current text is written, and waits no longer than the limit.
    package func finish(within limit: Duration, _ last: @escaping @Sendable () -> Void) async {
        _ = await attempt(within: limit) {
            last()
            return .written
        }
    }

    private func attempt(within limit: Duration, _ body: @escaping @Sendable () -> Outcome) async -> Outcome {
        let (outcomes, outcome) = AsyncStream<Outcome>.makeStream()
        queue.async {
            outcome.yield(body())
            outcome.finish()
        }
        return await withTaskGroup { tasks in
            tasks.addTask { await outcomes.first { _ in true } ?? .busy }
            tasks.addTask {
                try? await ContinuousClock().sleep(for: limit)
                return .busy
            }
            let first = await tasks.next() ?? .busy
            tasks.cancelAll()
            return first
        }
    }
}
