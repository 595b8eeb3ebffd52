import Testing

@testable import Supervision

@Suite struct LineFoldTests {
    private let start = ContinuousClock().now

    @Test("a line that is repeated within a minute is left out and counted")
    func again() {
        let fold = LineFold()
        #expect(fold.note("refused", now: start) == 0)
        for second in 1...15 { #expect(fold.note("refused", now: start + .seconds(second)) == nil) }
        #expect(fold.note("refused", now: start + .seconds(60)) == 15)
        #expect(fold.note("refused", now: start + .seconds(61)) == nil)
        #expect(fold.note("refused", now: start + .seconds(200)) == 1)
    }

    @Test("two lines that alternate are each logged once")
    func alternating() {
        let fold = LineFold()
        let logged = (0..<20).compactMap { second in
            fold.note(second.isMultiple(of: 2) ? "the disk is full" : "no room", now: start + .seconds(second))
        }
        #expect(logged == [0, 0])
    }

    @Test("new lines are always logged, and few of them are remembered")
    func new() {
        let fold = LineFold()
        for number in 0..<1000 { #expect(fold.note("line \(number)", now: start) == 0) }
    }
}
