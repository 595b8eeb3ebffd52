import TestSupport
import Testing

@testable import DataPath

/// Which target is slow.
@Suite struct DeliveryWatchTests {
    /// A reader of a feed of 30 frames a second, keyframes every two seconds, six seconds kept.
    private struct Line {
        private(set) var fed = 0
        private(set) var skipped = 0
        private var behind = 0.0
        /// A tenth of a second at which frames were last skipped.
        private(set) var lastSkip: Int?
        /// In ticks.
        private(set) var end: Int64 = 900_000

        /// The feed had no frames for some time, and its timeline goes on behind that.
        mutating func pause(tenths: Int) { end += 9000 * Int64(tenths) }

        /// - Parameter capacity: How much of what comes in the line takes.
        /// - Parameter speed: Of the feed; 1 is real time.
        mutating func step(tenth: Int, capacity: Double, speed: Int = 1) {
            fed += 3 * speed
            end += 9000 * Int64(speed)
            behind = max(0, behind + Double(3 * speed) - 3 * capacity)
            guard behind >= 180 else { return }
            let newest = Double(fed % 60)
            skipped += Int(behind - newest)
            behind = newest
            lastSkip = tenth
        }

        var place: DeliveryWatch.Place { .init(fed: fed, behind: Int(behind), skipped: skipped, end: end) }
    }

    private struct Told {
        var second: Int
        var change: DeliveryWatch.Change
        /// Since frames were last skipped; `nil` when none ever were.
        var sinceSkip: Double?

        var share: Double? { if case .slow(let share) = change { share } else { nil } }
    }

    /// What is told of a line whose capacity is given by the second.
    private func changes(for seconds: Int, _ capacity: (Int) -> Double) -> [Told] {
        var watch = DeliveryWatch()
        var line = Line()
        var told: [Told] = []
        for tenth in 0..<(seconds * 10) {
            line.step(tenth: tenth, capacity: capacity(tenth / 10))
            let (change, _) = watch.look(line.place, now: Int64(tenth) * 100_000_000)
            guard let change else { continue }
            told.append(
                Told(second: tenth / 10, change: change, sinceSkip: line.lastSkip.map { Double(tenth - $0) / 10 }))
        }
        return told
    }

    @Test("a target that gets everything is complete after one window, told once")
    func complete() {
        let told = changes(for: 300) { _ in 1.5 }
        #expect(told.map(\.change) == [.complete] && told[0].second == 30, "\(told)")
    }

    @Test("a line that carries four fifths is slow from its first skip on, with the share that it carries")
    func slow() {
        let told = changes(for: 600) { _ in 0.8 }
        #expect(told.count > 0 && told.allSatisfy { $0.share != nil }, "\(told)")
        #expect(told.first?.second == 30 || told.first?.second == 31, "\(told)")
        #expect(told.allSatisfy { abs(($0.share ?? 0) - 0.8) < 0.05 }, "\(told)")
    }

    @Test("a line that carries 97 % stays slow between two skips that are minutes apart")
    func justTooLittle() {
        let told = changes(for: 1800) { _ in 0.97 }
        #expect(told.count > 0 && told.allSatisfy { $0.share != nil }, "\(told)")
    }

    @Test("a stall that the feed bridges is not told")
    func bridged() {
        let told = changes(for: 300) { (100..<105).contains($0) ? 0 : 1.3 }
        #expect(told.map(\.change) == [.complete], "\(told)")
    }

    @Test("one long stall is slow once, and over a window after everything arrives again")
    func longStall() {
        let told = changes(for: 300) { (100..<110).contains($0) ? 0 : 1.3 }
        let kinds = told.map { $0.share != nil }
        #expect(kinds.first == false && kinds.last == false && kinds.count(where: { !$0 }) == 2, "\(told)")
        #expect((told.last?.sinceSkip ?? 0) >= 30 && (told.last?.second ?? .max) < 150, "\(told)")
    }

    @Test("frames of a burst that are skipped make no target slow, and a line that is too thin is slow all the same")
    func burst() {
        for (capacity, isSlow) in [(1.1, false), (1.5, false), (0.7, true)] {
            var watch = DeliveryWatch()
            var line = Line()
            var changes: [DeliveryWatch.Change] = []
            for tenth in 0..<3000 {
                // Nothing for half a minute, then what a network held up within a second.
                if tenth == 700 { line.pause(tenths: 300) }
                let speed = (1000..<1010).contains(tenth) ? 30 : 1
                if !(700..<1000).contains(tenth) { line.step(tenth: tenth, capacity: capacity, speed: speed) }
                let change = watch.look(line.place, now: Int64(tenth) * 100_000_000).change
                if let change { changes.append(change) }
            }
            let isTold = changes.contains { if case .slow = $0 { true } else { false } }
            #expect(isTold == isSlow, "\(capacity): \(changes)")
        }
    }

    @Test("a pause of the feed is no burst: a line that is too thin behind it is slow at once")
    func pause() {
        var watch = DeliveryWatch()
        var line = Line()
        var slowAt: Int?
        for tenth in 0..<40_000 {
            if tenth == 36_999 { line.pause(tenths: 36_000) }
            if tenth < 1000 || tenth >= 37_000 { line.step(tenth: tenth, capacity: tenth < 1000 ? 1.5 : 0.5) }
            let change = watch.look(line.place, now: Int64(tenth) * 100_000_000).change
            if case .slow? = change, slowAt == nil { slowAt = tenth }
        }
        // As soon as the feed has gone on.
        #expect(slowAt.map { $0 < 37_000 + 150 } == true, "\(slowAt ?? -1)")
    }

    @Test("whatever arrives: slow only within a window of a skip, complete only a window after it")
    func random() throws {
        var random = SeededRandom()
        for _ in 0..<60 {
            let least = Double.random(in: 0...1, using: &random)
            let most = Double.random(in: least...2, using: &random)
            var capacities: [Double] = []
            while capacities.count < 900 {
                // Some seconds of one kind, as networks are.
                let capacity = Double.random(in: least...most, using: &random)
                for _ in 0..<Int.random(in: 1...20, using: &random) { capacities.append(capacity) }
            }
            var isSlow: Bool?
            for entry in changes(for: 900, { capacities[$0] }) {
                if let share = entry.share {
                    #expect(share >= 0 && share < 1, "\(random.hint)")
                    if isSlow != true { #expect((entry.sinceSkip ?? .infinity) <= 31, "\(entry), \(random.hint)") }
                    isSlow = true
                } else {
                    #expect(isSlow != false, "told twice: \(entry), \(random.hint)")
                    #expect((entry.sinceSkip ?? .infinity) >= 30, "\(entry), \(random.hint)")
                    isSlow = false
                }
            }
        }
    }

    @Test("a line that varies around nine tenths or less begins once and does not end", arguments: [0.5, 0.7, 0.9])
    func steady(rate: Double) {
        var random = SeededRandom()
        var factors: [Double] = []
        for _ in 0..<900 { factors.append(Double.random(in: 0.9...1.1, using: &random)) }
        let told = changes(for: 900) { rate * factors[$0] }
        #expect(told.count > 0 && told.allSatisfy { $0.share != nil }, "\(told), \(random.hint)")
    }

    @Test("the share is told again only when it has changed, and at most every ten seconds")
    func retold() {
        let told = changes(for: 600) { $0 < 300 ? 0.8 : 0.5 }
        for (one, next) in zip(told, told.dropFirst()) {
            #expect(next.second - one.second >= 10 && next.change != one.change, "\(told)")
        }
        #expect(abs((told.last?.share ?? 0) - 0.5) < 0.05, "\(told)")
    }

    @Test("looks fall on whole seconds, and what stands between two is not asked for")
    func looks() {
        var watch = DeliveryWatch()
        var count = 0
        func place() -> DeliveryWatch.Place {
            count += 1
            return .init(fed: count, behind: 0, skipped: 0)
        }
        var next: [Int64] = []
        for now: Int64 in [1_300_000_000, 1_900_000_000, 2_100_000_000] {
            next.append(watch.look(place(), now: now).next)
        }
        #expect(next == [2_000_000_000, 2_000_000_000, 3_000_000_000] && count == 2)
    }
}
