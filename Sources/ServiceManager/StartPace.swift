import Glibc

/// Slows down the starts of a service that ends repeatedly soon after its start.
///
/// The unit makes the manager restart the service at once, without a limit: a box is back on air sooner, and it has no
/// operator who could start it again. A service that fails each time must not occupy the processor or fill the journal.
/// Pure.
package struct StartPace: Sendable, Equatable {
    /// The number of starts in a row, each soon after the previous one.
    package private(set) var starts: Int
    /// The time of the last start, in microseconds of `CLOCK_MONOTONIC`.
    package private(set) var last: Int64

    /// A start within this time after the previous one counts as soon, in microseconds.
    private static let soon: Int64 = 10_000_000
    /// The number of starts in a row without a pause.
    private static let free = 5
    /// The longest pause in seconds.
    private static let longest = 10

    package init() { (starts, last) = (0, .min / 2) }

    /// Reads the form of ``text``. `nil` for another text.
    package init?(_ text: String) {
        let numbers = text.split { $0 == " " || $0 == "\n" }.map { Int64($0) }
        guard numbers.count == 2, let starts = numbers[0], let last = numbers[1], (0...1_000_000).contains(starts),
            last >= 0
        else { return nil }
        (self.starts, self.last) = (Int(starts), last)
    }

    package var text: String { "\(starts) \(last)\n" }

    /// Counts a start.
    ///
    /// - Returns: The seconds that the start has to wait, up to ten.
    package mutating func begin(now: Int64) -> Int {
        starts = (0...Self.soon).contains(now - last) ? starts + 1 : 1
        let pause = min(max(0, starts - Self.free), Self.longest)
        last = now + Int64(pause) * 1_000_000
        return pause
    }
}

extension StartPace {
    /// Delays a start that follows others too soon. Without a folder of the service manager it does nothing.
    ///
    /// - Parameters:
    ///   - environment: The environment of the process. `RUNTIME_DIRECTORY` has to outlast a restart
    ///     (`RuntimeDirectoryPreserve=restart`).
    ///   - wait: Waits for a number of seconds.
    package static func keep(
        environment: [String: String], now: Int64 = ServiceManager.monotonicMicroseconds(), wait: (Int) -> Void = pause
    ) {
        guard let name = environment["NOTIFY_SOCKET"],
            let folder = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first
        else { return }
        let path = "\(folder)/starts"
        var pace = read(path).flatMap { StartPace($0) } ?? StartPace()
        let seconds = pace.begin(now: now)
        // If the file cannot be written, the next start is not delayed.
        write(pace.text, path)
        guard seconds > 0 else { return }
        _ = NotifySocket(name)?.send(
            .status(
                """
                started \(pace.starts) times, each soon after the previous one: waiting \(seconds) s; the log says \
                why it ended
                """
            ))
        wait(seconds)
    }

    package static func pause(seconds: Int) { sleep(UInt32(seconds)) }

    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    private static func write(_ text: String, _ path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
    }
}
