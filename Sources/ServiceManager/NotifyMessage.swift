/// A message to the service manager: lines of `NAME=value` in one datagram.
package struct NotifyMessage: Sendable, Equatable {
    package private(set) var text: String

    package static let ready = NotifyMessage(text: "READY=1")
    package static let stopping = NotifyMessage(text: "STOPPING=1")
    package static let alive = NotifyMessage(text: "WATCHDOG=1")

    /// Extends the limit of the current step, such as the start: it may take this long from now.
    package static func extend(_ duration: Duration) -> NotifyMessage {
        let (seconds, attoseconds) = duration.components
        return NotifyMessage(text: "EXTEND_TIMEOUT_USEC=\(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)")
    }

    /// - Parameter microseconds: The time of `CLOCK_MONOTONIC` now. A manager that sent the signal for the reload knows
    ///   by it that the signal arrived.
    package static func reloading(at microseconds: Int64) -> NotifyMessage {
        NotifyMessage(text: "RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
    }

    /// A sentence about the state of the service. Line breaks become spaces, and a text that is too long for a line is
    /// cut.
    package static func status(_ sentence: String) -> NotifyMessage {
        var line = String(
            String.UnicodeScalarView(sentence.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
        if line.count > longest { line = line.prefix(longest - 1) + "…" }
        return NotifyMessage(text: "STATUS=\(line)")
    }

    private static let longest = 400

    package static func + (one: NotifyMessage, other: NotifyMessage) -> NotifyMessage {
        NotifyMessage(text: one.text + "\n" + other.text)
    }
}
