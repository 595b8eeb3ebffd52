import Redaction
import Testing

@testable import FFmpeg

@Suite struct LogTests {
    @Test("lines end at line feeds and carriage returns, wherever the reads end")
    func splitting() {
        var splitter = LineSplitter(limit: 100)
        #expect(splitter.consume(Array("one\r\ntwo\rth".utf8)) == ["one", "two"])
        #expect(splitter.consume(Array("ree\n\n\nfour".utf8)) == ["three"])
        #expect(splitter.finish() == "four")
        #expect(splitter.finish() == nil)
    }

    @Test("a line without an end is cut, and the next one is complete")
    func longLine() {
        var splitter = LineSplitter(limit: 4)
        #expect(splitter.consume(Array("abcdefgh".utf8)) == [])
        #expect(splitter.consume(Array("ij\nkl\n".utf8)) == ["abcd…", "kl"])
    }

    @Test(
        "the level is read and removed",
        arguments: [
            ("[h264 @ 0x55d1] [error] no frame!", LogLine.Level.error, "[h264 @ 0x55d1] no frame!"),
            ("[warning] Could not find codec parameters", .warning, "Could not find codec parameters"),
            ("[fatal]", .fatal, ""),
            ("22:39:33/SRT:cn: [x] rejected", nil, "22:39:33/SRT:cn: [x] rejected"),
            ("[", nil, "["), ("[a]", nil, "[a]"),
        ] as [(String, LogLine.Level?, String)])
    func level(line: String, level: LogLine.Level?, text: String) {
        #expect(LogLine(parsing: line) == LogLine(level: level, text: text))
    }

    @Test("the beginning and the end are kept, and the lines between are counted")
    func excerpt() {
        var excerpt = LogExcerpt()
        for number in 1...200 { excerpt.append("line \(number)") }
        #expect(excerpt.head.first == "line 1" && excerpt.head.count == 20)
        #expect(excerpt.tail.first == "line 141" && excerpt.tail.last == "line 200")
        #expect(excerpt.omitted == 120)
        #expect(excerpt.lines.count == 81)
        excerpt.append(String(repeating: "x", count: 100_000))
        #expect(excerpt.tail.last!.utf8.count < 1100)
    }

    @Test("control characters of a line are written out, also a tab")
    func controlCharacters() {
        var log = ChildLog(now: ContinuousClock.now)
        let events = log.consume("[error] a\u{1B}[31mb\tc\u{202E}d\u{85}é", redactor: Redactor(), now: .now)
        #expect(events == [.log(LogLine(level: .error, text: "a\\u001b[31mb\\u0009c\\u202ed\\u0085é"))])
    }

    @Test("lines that were held back are counted at the end too")
    func heldBackAtTheEnd() {
        let now = ContinuousClock.now
        var log = ChildLog(now: now)
        #expect(log.finish() == [])
        let events = (0..<150).flatMap { log.consume("[error] line \($0)", redactor: Redactor(), now: now) }
        #expect(events.count == 100)
        #expect(log.finish() == [.logSuppressed(count: 50)])
        #expect(log.excerpt.last(1) == ["line 149"])
    }

    @Test("a flood of messages is limited, and the suppressed ones are counted")
    func rate() {
        let start = ContinuousClock.now
        var rate = LogRate(burst: 3, interval: .milliseconds(100), now: start)
        let verdicts = (0..<5).map { _ in rate.admit(at: start) }
        #expect(verdicts == [.pass(after: 0), .pass(after: 0), .pass(after: 0), .suppress, .suppress])
        #expect(rate.admit(at: start + .milliseconds(99)) == .suppress)
        #expect(rate.admit(at: start + .milliseconds(120)) == .pass(after: 3))
        #expect(rate.admit(at: start + .milliseconds(130)) == .suppress)
        #expect(rate.admit(at: start + .seconds(60)) == .pass(after: 1))
    }
}
