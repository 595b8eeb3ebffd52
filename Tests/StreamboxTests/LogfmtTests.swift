import Foundation
import Logging
import Redaction
import Status
import TestSupport
import Testing

@testable import streambox

@Suite struct LogfmtTests {
    private func entry(_ message: String, _ level: Logger.Level = .info, _ metadata: Logger.Metadata = [:]) -> LogEntry
    {
        LogEntry(
            time: timespec(tv_sec: 1_700_000_000, tv_nsec: 7_000_000), level: level, message: message,
            metadata: metadata)
    }

    @Test(
        "plain values are bare, and others are quoted on one line",
        arguments: [
            ("rtmp-0", "rtmp-0"), ("", "\"\""), ("no picture", "\"no picture\""), ("é", "é"), ("a\\b", "\"a\\\\b\""),
            ("a=b \"c\"\n\u{1B}[0m", "\"a=b \\\"c\\\"\\n\\u001b[0m\""),
            ("\u{85}\u{202E}\u{2028}\u{7F}\r\t", "\"\\u0085\\u202e\\u2028\\u007f\\r\\t\""),
        ])
    func quoting(text: String, quoted: String) {
        #expect(LogEntry.quoted(text) == quoted)
    }

    @Test("the place comes first from the outside in, then the rest by name")
    func order() {
        let line = entry("handed over", .notice, ["cause": "crash", "group": "hd", "channel": "main", "after": "90ms"])
            .line(hiding: Redactor(), inJournal: false)
        let fields = "channel=main group=hd after=90ms cause=crash"
        #expect(line == "time=2023-11-14T22:13:20.007Z level=notice msg=\"handed over\" \(fields)\n")
    }

    @Test(
        "in the journal a line begins with its priority", arguments: zip(Logger.Level.allCases, [7, 7, 6, 5, 4, 3, 2]))
    func priorities(level: Logger.Level, priority: Int) {
        #expect(entry("x", level).line(hiding: Redactor(), inJournal: true).hasPrefix("<\(priority)>time="))
    }

    @Test("a secret is masked wherever it appears, and names stay readable")
    func secrets() {
        let redactor = Redactor(secrets: ["tw1tch"])
        let line = entry("key tw1tch of rtmp://u:pw@h/app/k3y", .info, ["last": "x tw1tch", "target": "tw1tch"]).line(
            hiding: redactor, inJournal: false)
        #expect(line.contains("msg=\"key **** of rtmp://****@h/app/****\" target=tw1tch last=\"x ****\""))
    }

    @Test("an endless value is cut")
    func longValues() {
        #expect(
            entry(String(repeating: "x", count: 100_000)).line(hiding: Redactor(), inJournal: false).utf8.count < 5000)
    }

    @Test("the journal is recognised by the device and inode that systemd names")
    func journal() throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        var info = stat()
        try #require(fstat(descriptor, &info) == 0)
        #expect(Journal.reads(descriptor, environment: ["JOURNAL_STREAM": "\(info.st_dev):\(info.st_ino)"]))
        for stream in ["\(info.st_dev):\(info.st_ino + 1)", "", ":", "x:y", "\(info.st_ino)"] {
            #expect(!Journal.reads(descriptor, environment: ["JOURNAL_STREAM": stream]), "\(stream)")
        }
        #expect(!Journal.reads(descriptor, environment: [:]))
        #expect(!Journal.reads(-1, environment: ["JOURNAL_STREAM": "\(info.st_dev):\(info.st_ino)"]))
    }

    @Test("a stuck reader blocks nothing, and dropped lines are counted and reported")
    func stuckReader() async throws {
        let pipe = Pipe()
        let output = LogOutput(pipe.fileHandleForWriting.fileDescriptor, isJournal: false, secrets: SecretBook())
        let count = 20_000
        let start = ContinuousClock.now
        for number in 0..<count { output.put(entry("line \(number) " + String(repeating: "x", count: 200), .debug)) }
        // Debug lines fill half of the buffer. The other half is for the lines that an operator should see.
        output.put(entry("important", .error))
        #expect(ContinuousClock.now - start < Limit.seconds(10))
        output.finish(within: .milliseconds(10))

        let reader = pipe.fileHandleForReading
        let text = Transcribed()
        let reading = Thread { while case let data = reader.availableData, !data.isEmpty { text.add(data) } }
        reading.start()
        try await eventually("the count of dropped lines") {
            text.lines.contains { $0.contains("lines were left out") }
        }
        output.put(entry("afterwards"))
        try await eventually("the log to go on") { text.lines.contains { $0.contains("msg=afterwards") } }
        try pipe.fileHandleForWriting.close()

        let lines = text.lines
        let whole = lines.filter { $0.contains("msg=\"line ") }.count
        let dropped = lines.compactMap { line in line.firstMatch(of: /left out" lines=(\d+)/).flatMap { Int($0.1) } }
            .reduce(0, +)
        #expect(whole + dropped == count, "\(whole) written, \(dropped) left out")
        #expect(dropped > count / 2)
        #expect(lines.contains { $0.contains("level=error msg=important") })
        #expect(lines.allSatisfy { $0.hasPrefix("time=") })
    }

    @Test("a closed reader blocks nothing")
    func goneReader() throws {
        signal(SIGPIPE, SIG_IGN)
        let pipe = Pipe()
        let output = LogOutput(pipe.fileHandleForWriting.fileDescriptor, isJournal: false, secrets: SecretBook())
        try pipe.fileHandleForReading.close()
        for number in 0..<100 { output.put(entry("line \(number)")) }
        output.finish(within: .seconds(20))
    }

    @Test("a problem is reported once it has lasted, and once when it is over")
    func problems() {
        var log = ProblemLog()
        let start = ContinuousClock.now
        let down = Problem(.targetDown, subject: "target a", sentence: "it refuses")
        let file = Problem(.statusFileUnwritable, subject: "/x", sentence: "has its own line")
        #expect(log.note([down, file], but: [file], now: start) == [])
        #expect(log.note([down], now: start + .seconds(2)) == [])
        #expect(log.note([down, file], but: [file], now: start + .seconds(6)) == [.began(down)])
        // The target is being retried.
        #expect(log.note([], now: start + .seconds(8)) == [])
        #expect(log.note([down], now: start + .seconds(30)) == [])
        #expect(log.note([], now: start + .seconds(59)) == [])
        #expect(log.note([], now: start + .seconds(60)) == [.over(down)])
        #expect(log.note([down], now: start + .seconds(61)) == [])
        #expect(log.note([], now: start + .seconds(120)) == [], "a problem that did not last is not reported")
        // The problem exists for seconds at first, and for a moment later: it has not lasted.
        #expect(log.note([down], now: start + .seconds(200)) == [])
        #expect(log.note([down], now: start + .seconds(201)) == [])
        #expect(log.note([], now: start + .seconds(202)) == [])
        #expect(log.note([down], now: start + .seconds(208)) == [])
        // A problem that comes and goes with each attempt is reported once it has existed for long enough.
        for second in [209, 211, 213, 215, 217] {
            #expect(log.note([], now: start + .seconds(second)) == [])
            #expect(log.note([down], now: start + .milliseconds(second * 1000 + 100)) == [])
            let changes = log.note([down], now: start + .milliseconds(second * 1000 + 1100))
            #expect(changes == (second == 217 ? [.began(down)] : []))
        }
    }

    @Test("a problem in three distant looks has lasted, in two it has not")
    func rareLooks() {
        var log = ProblemLog()
        let start = ContinuousClock.now
        let down = Problem(.targetDown, subject: "target a", sentence: "it refuses")
        #expect(log.note([down], now: start) == [])
        #expect(log.note([down], now: start + .seconds(10)) == [])
        #expect(log.note([down], now: start + .seconds(20)) == [.began(down)])
    }

    @Test("a problem that returns after a break has to last again")
    func returningProblem() {
        var log = ProblemLog()
        let start = ContinuousClock.now
        let silent = Problem(.noSource, subject: "channel main", sentence: "no source delivers")
        // No publisher for four and a half seconds, then one for ten.
        for step in 0...9 { #expect(log.note([silent], now: start + .milliseconds(step * 500)) == []) }
        for step in 10...28 { #expect(log.note([], now: start + .milliseconds(step * 500)) == []) }
        for step in 29...38 { #expect(log.note([silent], now: start + .milliseconds(step * 500)) == [], "\(step)") }
        #expect(log.note([silent], now: start + .milliseconds(39 * 500)) == [.began(silent)])
    }
}

private final class Transcribed: @unchecked Sendable {
    private let lock = NSLock()
    private var data = Data()

    func add(_ more: Data) { lock.withLock { data += more } }
    var lines: [String] {
        lock.withLock { String(decoding: data, as: UTF8.self) }.split(separator: "\n").map(String.init)
    }
}
