import Dispatch
import Glibc
import Logging
import Redaction
import Synchronization

/// Where log lines go. Nobody who logs waits: lines are written by a thread that may hang with its reader. As many as
/// there is room for wait; what comes beyond is left out and counted, and a line says so once there is room again.
final class LogOutput: Sendable {
    private struct State {
        var waiting: [LogEntry] = []
        var size = 0
        /// Left out since the last line that said so.
        var leftOut = 0
        var isWriting = false
    }

    /// Bytes that may wait.
    private static let room = 1 << 20

    private let descriptor: CInt
    private let isJournal: Bool
    private let secrets: SecretBook
    private let queue = DispatchQueue(label: "log")
    private let state = Mutex(State())

    /// - Parameters:
    ///   - descriptor: Stays the caller's.
    ///   - isJournal: Each line begins with its priority.
    ///   - secrets: What must be in no line.
    init(_ descriptor: CInt, isJournal: Bool, secrets: SecretBook) {
        self.descriptor = descriptor
        self.isJournal = isJournal
        self.secrets = secrets
    }

    func put(_ entry: LogEntry) {
        let begins = state.withLock { state in
            // What an operator should see still finds room when the details do not.
            let room = entry.level < .notice ? Self.room / 2 : Self.room
            guard state.size + entry.size <= room else {
                state.leftOut += 1
                return false
            }
            if state.leftOut > 0 { Self.tell(&state, at: entry.time) }
            state.waiting.append(entry)
            state.size += entry.size
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if begins { queue.async { self.write() } }
    }

    /// Waits until what has been put is written, and no longer than a while.
    func finish(within limit: DispatchTimeInterval = .milliseconds(500)) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + limit)
    }

    private static func tell(_ state: inout State, at time: timespec) {
        state.waiting.append(
            LogEntry(
                time: time, level: .warning, message: "the log's reader does not keep up: lines were left out",
                metadata: ["lines": "\(state.leftOut)"]))
        state.leftOut = 0
    }

    private func write() {
        var isLost = false
        while true {
            let entries = state.withLock { state in
                if state.waiting.isEmpty, state.leftOut > 0, !isLost {
                    var now = timespec()
                    clock_gettime(CLOCK_REALTIME, &now)
                    Self.tell(&state, at: now)
                }
                defer { state.waiting = [] }
                state.isWriting = !state.waiting.isEmpty
                return state.waiting
            }
            guard !entries.isEmpty else { return }
            let redactor = secrets.redactor
            for entry in entries {
                // One call a line, so that it does not mix with what others write there.
                isLost = !StandardOutput.write(entry.line(hiding: redactor, inJournal: isJournal), to: descriptor)
                state.withLock { state in
                    state.size = max(0, state.size - entry.size)
                    if isLost { state.leftOut += 1 }
                }
            }
        }
    }
}
