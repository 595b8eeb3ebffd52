import Testing

@testable import DataPath

/// Tests which encoders count as too slow.
@Suite struct PaceWatchTests {
    /// A source and an encoder, in seconds.
    private struct Line {
        /// Media that the source and the encoder have given.
        private(set) var source = 0.0
        private(set) var encoder = 0.0
        private(set) var jumps = 0

        /// - Parameters:
        ///   - gives: Media of the source in this tenth of a second.
        ///   - speed: The speed of the encoder, where it has input.
        mutating func step(gives: Double, speed: Double) {
            source += gives
            encoder = min(source, encoder + speed / 10)
            // A feed keeps six seconds.
            guard source - encoder > 6 else { return }
            jumps += 1
            encoder = source - 0.5
        }

        var place: PaceWatch.Place {
            let lag = source - encoder
            return .init(
                backlog: lag <= 1 ? .none : lag > 2.5 ? .much : .some,
                lag: Int64(lag * 1e9), given: Int64(encoder * 1e9), jumps: jumps)
        }
    }

    private struct Report: Equatable {
        var second: Double
        var change: PaceWatch.Change
    }

    /// Returns the reports on a line that is looked at ten times a second.
    ///
    /// - Parameters:
    ///   - start: Seconds that the encoder begins behind its source.
    ///   - gives: Media that the source gives in the tenth of a second that begins at a time.
    ///   - pauses: The service itself does not run at these times.
    private func reports(
        for seconds: Int = 30, start: Double = 0, gives: (Double) -> Double = { _ in 0.1 },
        pauses: (Double) -> Bool = { _ in false }, speed: (Double) -> Double
    ) -> [Report] {
        var watch = PaceWatch(interval: 1_000_000_000)
        var line = Line()
        line.step(gives: start, speed: 0)
        var reports: [Report] = []
        for tenth in 0..<(seconds * 10) {
            let now = Double(tenth) / 10
            line.step(gives: gives(now), speed: speed(now))
            guard !pauses(now) else { continue }
            let change = watch.look(line.place, now: Int64(tenth) * 100_000_000).change
            if let change { reports.append(Report(second: now, change: change)) }
        }
        return reports
    }

    /// A burst of this many seconds of media, delivered within some time.
    private func burst(
        _ media: Double, at begin: Double, within time: Double, behind silence: Double = 0
    ) -> (Double) -> Double {
        { now in
            if now >= begin - silence, now < begin { return 0 }
            return now >= begin && now < begin + time ? 0.1 + media / time / 10 : 0.1
        }
    }

    @Test("an encoder below real time is reported once it is far behind", arguments: [0.0, 0.3, 0.5, 0.8, 0.9])
    func slow(speed: Double) {
        let all = reports(for: 60) { _ in speed }
        let first = all.first
        #expect(first?.change == .tooSlow)
        // At 2.5 s behind, or at the next look.
        let due = 2.5 / (1 - speed)
        #expect(first.map { $0.second >= due - 0.2 && $0.second <= due + 2.1 } ?? false, "\(all)")
    }

    @Test("an encoder that gives nothing is reported before media is lost")
    func hung() {
        #expect((reports { $0 < 5 ? 2 : 0 }.first?.second ?? 99) <= 8.5)
    }

    @Test("an encoder that begins far behind and catches up is not reported", arguments: [1.1, 1.5, 3])
    func catchingUp(speed: Double) {
        #expect(reports(start: 4.5) { _ in speed }.isEmpty)
    }

    @Test("an encoder that works off a burst is not reported", arguments: [1.1, 1.5, 3])
    func bursts(speed: Double) {
        for begin in 40..<60 {
            let time = Double(begin) / 10
            // At once, as an HLS segment; and over seconds, as a line carries media that a network delayed.
            for span in [0.1, 1, 3] {
                #expect(reports(gives: burst(4, at: time, within: span)) { _ in speed }.isEmpty)
            }
        }
    }

    @Test("an encoder is not reported for a burst of 30 s behind a network stall", arguments: [0.1, 1, 5, 15])
    func networkStall(span: Double) {
        #expect(reports(for: 120, gives: burst(30, at: 40, within: span, behind: 30)) { _ in 1.5 }.isEmpty)
    }

    @Test("an encoder that cannot work off a burst is reported once")
    func burstTooSlow() {
        let all = reports(gives: burst(4, at: 5, within: 0.1), speed: { _ in 1 })
        #expect(all.map(\.change) == [.tooSlow], "\(all)")
    }

    @Test("an encoder whose source is slower than real time is not reported", arguments: [0.0, 0.3, 0.9])
    func slowSource(speed: Double) {
        #expect(reports(for: 120, gives: { _ in speed / 10 }, speed: { _ in 1.2 }).isEmpty)
        // The same for an encoder that is slower than real time, but faster than its source.
        #expect(reports(for: 120, start: 3, gives: { _ in speed / 10 }, speed: { _ in 0.98 }).isEmpty)
    }

    @Test("an encoder is not reported while the machine is busy for two seconds")
    func busyMachine() {
        for begin in 40..<60 {
            let time = Double(begin) / 10
            #expect(reports { $0 >= time && $0 < time + 2 ? 0 : 1.5 }.isEmpty, "\(time)")
        }
    }

    @Test("an encoder is not reported after the whole machine hung for seconds")
    func hungMachine() {
        let isHanging = { (now: Double) in now >= 8 && now < 14 }
        #expect(reports(gives: { _ in 0.1 }, pauses: isHanging, speed: { isHanging($0) ? 0 : 1.5 }).isEmpty)
    }

    @Test("an encoder at a steady distance is reported only beyond the limit")
    func steady() {
        #expect(reports(start: 2.4) { _ in 1 }.isEmpty)
        #expect(reports(start: 3) { _ in 1 }.map(\.change) == [.tooSlow])
    }

    @Test("a slow encoder keeps up after five seconds without a backlog")
    func keepsUp() {
        let all = reports(for: 60) { (10..<30).contains($0) ? 4 : 0.5 }
        #expect(all.map(\.change) == [.tooSlow, .keepsUp, .tooSlow], "\(all)")
    }

    @Test("skips of the input do not count as keeping up")
    func jumps() {
        let all = reports(for: 120) { _ in 0.4 }
        #expect(all.map(\.change) == [.tooSlow], "\(all)")
    }
}
