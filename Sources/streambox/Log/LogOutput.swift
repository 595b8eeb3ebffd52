import Dispatch
import Glibc
import Logging
import Redaction
import Synchronization

/// Writes log lines on a thread of its own, so that code that logs never waits. If the reader of the log hangs, only
/// this thread hangs.
///
/// Lines are buffered up to a limit. Lines beyond it are dropped and counted, and a line reports the count as soon as
/// there is room again.
final class LogOutput: Sendable {
    private struct State {
        var waiting: [LogEntry] = []
        var size = 0
        /// Lines dropped since the last line that reported a count.
        var leftOut = 0
        var isWriting = false
    }

    /// The most bytes that are buffered.
    private static let capacity = 1 << 20

    private let descriptor: CInt
    private let isJournal: Bool
    private let secrets: SecretBook
    private let queue = DispatchQueue(label: "log")
    private let state = Mutex(State())

    /// - Parameters:
    ///   - descriptor: Not closed by this object.
    ///   - isJournal: Each line begins with its priority.
    ///   - secrets: The secrets that no line may hold.
    init(_ descriptor: CInt, isJournal: Bool, secrets: SecretBook) {
        self.descriptor = descriptor
        self.isJournal = isJournal
        self.secrets = secrets
    }

    func put(_ entry: LogEntry) {
        let mustStartWriter = state.withLock { state in
            // Lines below `notice` may use only half of the buffer, so that room is left for lines to the operator.
            let limit = entry.level < .notice ? Self.capacity / 2 : Self.capacity
            guard state.size + entry.size <= limit else {
                state.leftOut += 1
                return false
            }
            if state.leftOut > 0 { Self.reportLeftOut(&state, at: entry.time) }
            state.waiting.append(entry)
            state.size += entry.size
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStartWriter { queue.async { self.write() } }
    }

    /// Waits until all entries are written, but no longer than the limit.
    func finish(within limit: DispatchTimeInterval = .milliseconds(500)) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + limit)
    }

    private static func reportLeftOut(_ state: inout State, at time: timespec) {
        state.waiting.append(
            LogEntry(
                time: time, level: .warning, message: "the log's reader does not keep up: lines were left out",
                metadata: ["lines": "\(state.leftOut)"]))
        state.leftOut = 0
    }

    private func write() {
        var lastWriteFailed = false
        while true {
            let entries = state.withLock { state in
                // After a failed write, this report would fail too, and would be counted and repeated without end.
                if state.waiting.isEmpty, state.leftOut > 0, !lastWriteFailed {
                    var now = timespec()
                    clock_gettime(CLOCK_REALTIME, &now)
                    Self.reportLeftOut(&state, at: now)
                }
                defer { state.waiting = [] }
                state.isWriting = !state.waiting.isEmpty
                return state.waiting
            }
            guard !entries.isEmpty else { return }
            let redactor = secrets.redactor
            for entry in entries {
                // One call for each line, so that it does not mix with the output of other processes.
                lastWriteFailed = !StandardOutput.write(
                    entry.line(hiding: redactor, inJournal: isJournal), to: descriptor)
                state.withLock { state in
                    state.size = max(0, state.size - entry.size)
                    if lastWriteFailed { state.leftOut += 1 }
                }
            }
        }
    }
}
