import Testing

@testable import RTMPIngest

/// Who is slowed down, and who is told.
@Suite struct ListenerTests {
    private static let second: Int64 = 1_000_000_000

    @Test("wrong keys of an address are answered later and later, a right one and time forgive")
    func delays() {
        var book = ClientThrottle()
        book.came("a", now: 0)
        var delays: [Int64] = []
        for _ in 0..<9 {
            delays.append(book.delay(for: "a", now: 0) / 1_000_000)
            book.failed("a", now: 0)
        }
        #expect(delays == [0, 0, 0, 100, 200, 400, 800, 1000, 1000])
        #expect(book.delay(for: "b", now: 0) == 0)
        // A failure is forgiven every ten seconds.
        #expect(book.delay(for: "a", now: 60 * Self.second) / 1_000_000 == 100)
        #expect(book.delay(for: "a", now: 70 * Self.second) == 0)
        book.went("a", now: 0)
        #expect(book.delay(for: "a", now: 0) > 0)
        book.succeeded("a")
        #expect(book.delay(for: "a", now: 0) == 0)
    }

    @Test("of keys that give way to others one is looked at now and then, of each address")
    func earlyLooks() {
        var book = ClientThrottle()
        book.came("a", now: 0)
        book.came("b", now: 0)
        let looks = (0..<100).map { book.mayLookEarly(at: "a", every: 33, now: $0) }
        #expect(looks.filter { $0 }.count == 4 && looks[0] && looks[33])
        #expect(
            book.mayLookEarly(at: "b", every: 33, now: 100) && !book.mayLookEarly(at: "nobody", every: 33, now: 100))
    }

    @Test("no number of addresses is remembered without an end")
    func bounded() {
        var book = ClientThrottle()
        for number in 0..<100_000 {
            let address = "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"
            book.came(address, now: Int64(number))
            book.failed(address, now: Int64(number))
            book.went(address, now: Int64(number))
        }
        #expect(book.count <= ClientThrottle.most)
        // The newest are those that are remembered.
        for _ in 0..<3 { book.failed("10.1.134.159", now: 100_000) }
        #expect(book.delay(for: "10.1.134.159", now: 100_000) > 0)
    }

    @Test("a few refusals are told one by one, the others as a number")
    func reports() {
        var reports = ReportLimit()
        let told = (0..<100).map { _ in reports.note(now: 0) }
        #expect(told.prefix(5) == [0, 0, 0, 0, 0] && told.dropFirst(5).allSatisfy { $0 == nil })
        #expect(reports.note(now: 60 * Self.second) == 95 && reports.note(now: 60 * Self.second) == 0)
    }

    @Test("who comes again and again with the right key waits, and a line that breaks a few times does not")
    func turnover() {
        var turnover = TakeoverRateLimiter()
        #expect((0..<5).map { _ in turnover.take(now: 0) } == [0, 0, 0, 0, 0])
        #expect(turnover.take(now: 0) == 2 * Self.second)
        #expect(turnover.take(now: 2 * Self.second) == 0)
        // A loop without a pause gets the place every two seconds.
        let taken = (2000...102_000).filter { turnover.take(now: Int64($0) * 1_000_000) == 0 }
        #expect(taken.count == 50)
        // Ten seconds of peace forgive everything.
        #expect((0..<5).allSatisfy { _ in turnover.take(now: 200 * Self.second) == 0 })
    }
}
