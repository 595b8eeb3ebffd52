import Dispatch
import Synchronization

/// Writes texts to a place that may hang, on a thread that may hang with it: never more than one at a time.
package final class StatusFileWriter: Sendable {
    /// What became of a text.
    package enum Outcome: Sendable, Hashable {
        case written
        case failed(String)
        /// The one before has not been written yet; this one was left out.
        case busy
    }

    private let queue = DispatchQueue(label: "status-file")
    private let isBusy = Mutex(false)
    private let write: @Sendable ([UInt8]) throws -> Void

    /// - Parameter write: Publishes a text, and may block for any time.
    package init(write: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.write = write
    }

    /// Has a text written, and waits for that no longer than a while; the writing goes on.
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

    /// Does the last thing once nothing is being written, and waits for that no longer than a while.
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
