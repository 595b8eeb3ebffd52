import Redaction

/// Keeps an excerpt of a child's stderr, and decides which lines become events.
struct ChildLog<Instant: InstantProtocol>: Sendable where Instant: Sendable, Instant.Duration == Duration {
    private(set) var excerpt = LogExcerpt()
    /// Whether the child's output is open. For a publisher, the target has then accepted the connection.
    private(set) var isOutputOpen = false
    private var parser = ProgressParser()
    private var rate: LogRate<Instant>

    init(now: Instant) {
        rate = LogRate(now: now)
    }

    /// The events at the end of the log.
    func finish() -> [ChildEvent] { rate.suppressed > 0 ? [.logSuppressed(count: rate.suppressed)] : [] }

    /// The events for one line.
    mutating func consume(_ line: String, redactor: Redactor, now: Instant) -> [ChildEvent] {
        switch parser.consume(line[...]) {
        case .part:
            return []
        case .progress(let progress):
            return [.progress(progress)]
        case .other:
            let message = LogLine(parsing: ControlCharacters.escaped(in: redactor.redacted(line)))
            if message.level == .verbose { return [] }
            if message.level == .info {
                // FFmpeg describes its streams once, in a few lines. Only one of these lines becomes an event.
                guard message.text.hasPrefix("Output #0,") else { return [] }
                isOutputOpen = true
                return [.outputOpened]
            }
            excerpt.append(message.text, isError: [.error, .fatal, .panic].contains(message.level))
            switch rate.admit(at: now) {
            case .suppress: return []
            case .pass(let after):
                return (after > 0 ? [.logSuppressed(count: after)] : []) + [.log(message)]
            }
        }
    }
}
