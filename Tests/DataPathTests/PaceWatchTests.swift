import Testing

@testable import DataPath

/// Which encoder is too slow.
@Suite struct PaceWatchTests {
    /// A source and an encoder, in seconds.
    private struct Line {
        /// Media that the source has given, and the encoder.
        private(set) var source = 0.0
        private(set) var encoder = 0.0
        private(set) var jumps = 0
        /// What the encoder was not given.
        private var missed = 0.0

        /// - Parameters:
        ///   - gives: Media of the source in this tenth of a second.
        ///   - speed: Of the encoder, where it has something to do.
        mutating func step(gives: Double, speed: Double) {
            source += gives
            encoder = min(source, encoder + speed / 10)
            // What a feed keeps.
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

    private struct Told: Equatable {
        var second: Double
        var change: PaceWatch.Change
    }

    /// What is told, when a line is looked at ten times a second.
    ///
    /// - Parameters:
    ///   - start: Seconds that the encoder begins behind its source.
    ///   - gives: Media that the source gives in the tenth of a second that begins at a time.
    ///   - pauses: The service itself does not run at these times.
    private func told(
        for seconds: Int = 30, start: Double = 0, gives: (Double) -> Double = { _ in 0.1 },
        pauses: (Double) -> Bool = { _ in false }, speed: (Double) -> Double
    ) -> [Told] {
        var watch = PaceWatch(interval: 1_000_000_000)
        var line = Line()
        line.step(gives: start, speed: 0)
        var told: [Told] = []
        for tenth in 0..<(seconds * 10) {
            let now = Double(tenth) / 10
            line.step(gives: gives(now), speed: speed(now))
            guard !pauses(now) else { continue }
            let change = watch.look(line.place, now: Int64(tenth) * 100_000_000).change
            if let change { told.append(Told(second: now, change: change)) }
        }
        return told
    }

    /// A burst of so many seconds of media, delivered within some time.
    private func burst(
        _ media: Double, at begin: Double, within time: Double, behind silence: Double = 0
    ) -> (Double) -> Double {
        { now in
            if now >= begin - silence, now < begin { return 0 }
            return now >= begin && now < begin + time ? 0.1 + media / time / 10 : 0.1
        }
    }

    @Test("an encoder at half of real time is reported once it is far behind", arguments: [0.0, 0.3, 0.5, 0.8, 0.9])
    func slow(speed: Double) {
        let all = told(for: 60) { _ in speed }
        let first = all.first
        #expect(first?.change == .tooSlow)
        // As soon as it is 2.5 s behind, and the look behind that.
        let due = 2.5 / (1 - speed)
        #expect(first.map { $0.second >= due - 0.2 && $0.second <= due + 2.1 } ?? false, "\(all)")
    }

    @Test("an encoder that gives nothing is reported before its source's media are lost")
    func hung() {
        #expect((told { $0 < 5 ? 2 : 0 }.first?.second ?? 99) <= 8.5)
    }

    @Test("an encoder that begins far behind and catches up is left alone", arguments: [1.1, 1.5, 3])
    func catchingUp(speed: Double) {
        #expect(told(start: 4.5) { _ in speed }.isEmpty)
    }

    @Test("a burst is no encoder's fault while it works that off", arguments: [1.1, 1.5, 3])
    func bursts(speed: Double) {
        for begin in 40..<60 {
            let time = Double(begin) / 10
            // At once, as an HLS segment; and over seconds, as a line carries what a network held up.
            for span in [0.1, 1, 3] {
                #expect(told(gives: burst(4, at: time, within: span)) { _ in speed }.isEmpty)
            }
        }
    }

    @Test("a burst of 30 s behind a network stall is no encoder's fault", arguments: [0.1, 1, 5, 15])
    func networkStall(span: Double) {
        #expect(told(for: 120, gives: burst(30, at: 40, within: span, behind: 30)) { _ in 1.5 }.isEmpty)
    }

    @Test("an encoder that cannot work a burst off is reported once")
    func burstTooSlow() {
        let all = told(gives: burst(4, at: 5, within: 0.1), speed: { _ in 1 })
        #expect(all.map(\.change) == [.tooSlow], "\(all)")
    }

    @Test("a source that is slower than real time makes no encoder slow", arguments: [0.0, 0.3, 0.9])
    func slowSource(speed: Double) {
        #expect(told(for: 120, gives: { _ in speed / 10 }, speed: { _ in 1.2 }).isEmpty)
        // Nor one that is slower than real time, but faster than its source.
        #expect(told(for: 120, start: 3, gives: { _ in speed / 10 }, speed: { _ in 0.98 }).isEmpty)
    }

    @Test("a machine that is busy for two seconds makes no encoder slow")
    func busyMachine() {
        for begin in 40..<60 {
            let time = Double(begin) / 10
            #expect(told { $0 >= time && $0 < time + 2 ? 0 : 1.5 }.isEmpty, "\(time)")
        }
    }

    @Test("a machine that stands still for seconds, the service too, makes no encoder slow")
    func standstill() {
        let isStill = { (now: Double) in now >= 8 && now < 14 }
        #expect(told(gives: { _ in 0.1 }, pauses: isStill, speed: { isStill($0) ? 0 : 1.5 }).isEmpty)
    }

    @Test("an encoder at a steady distance is left alone below the limit, and reported beyond it")
    func steady() {
        #expect(told(start: 2.4) { _ in 1 }.isEmpty)
        #expect(told(start: 3) { _ in 1 }.map(\.change) == [.tooSlow])
    }

    @Test("an encoder that was too slow keeps up after five seconds without a backlog, and may be reported again")
    func keepsUp() {
        let all = told(for: 60) { (10..<30).contains($0) ? 4 : 0.5 }
        #expect(all.map(\.change) == [.tooSlow, .keepsUp, .tooSlow], "\(all)")
    }

    @Test("jumps of the input are no sign that an encoder keeps up")
    func jumps() {
        let all = told(for: 120) { _ in 0.4 }
        #expect(all.map(\.change) == [.tooSlow], "\(all)")
    }
}
