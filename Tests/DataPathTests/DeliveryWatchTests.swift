import TestSupport
import Testing

@testable import DataPath

/// Tests which targets count as slow.
@Suite struct DeliveryWatchTests {
    /// A reader of a feed of 30 frames a second, keyframes every two seconds, six seconds kept.
    private struct Line {
        private(set) var fed = 0
        private(set) var skipped = 0
        private var behind = 0.0
        /// The tenth of a second at which frames were last skipped.
        private(set) var lastSkip: Int?
        /// In ticks.
        private(set) var end: Int64 = 900_000

        /// Moves the feed's timeline on after a time without frames.
        mutating func pause(tenths: Int) { end += 9000 * Int64(tenths) }

        /// - Parameters:
        ///   - capacity: The share of real time that the line takes.
        ///   - speed: The speed of the feed; 1 is real time.
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

    private struct Report {
        var second: Int
        var change: DeliveryWatch.Change
        /// Seconds since frames were last skipped; `nil` when none ever were.
        var sinceSkip: Double?

        var share: Double? { if case .slow(let share) = change { share } else { nil } }
    }

    /// Returns the reports on a line whose capacity is given for each second.
    private func changes(for seconds: Int, _ capacity: (Int) -> Double) -> [Report] {
        var watch = DeliveryWatch()
        var line = Line()
        var reports: [Report] = []
        for tenth in 0..<(seconds * 10) {
            line.step(tenth: tenth, capacity: capacity(tenth / 10))
            let (change, _) = watch.look(line.place, now: Int64(tenth) * 100_000_000)
            guard let change else { continue }
            reports.append(
                Report(second: tenth / 10, change: change, sinceSkip: line.lastSkip.map { Double(tenth - $0) / 10 }))
        }
        return reports
    }

    @Test("a target that gets everything is complete after one window, once")
    func complete() {
        let reports = changes(for: 300) { _ in 1.5 }
        #expect(reports.map(\.change) == [.complete] && reports[0].second == 30, "\(reports)")
    }

    @Test("a line that carries four fifths is slow from its first skip on")
    func slow() {
        let reports = changes(for: 600) { _ in 0.8 }
        #expect(reports.count > 0 && reports.allSatisfy { $0.share != nil }, "\(reports)")
        #expect(reports.first?.second == 30 || reports.first?.second == 31, "\(reports)")
        #expect(reports.allSatisfy { abs(($0.share ?? 0) - 0.8) < 0.05 }, "\(reports)")
    }

    @Test("a line that carries 97 % stays slow between skips that are minutes apart")
    func justTooLittle() {
        let reports = changes(for: 1800) { _ in 0.97 }
        #expect(reports.count > 0 && reports.allSatisfy { $0.share != nil }, "\(reports)")
    }

    @Test("a stall that the feed bridges is not reported")
    func bridged() {
        let reports = changes(for: 300) { (100..<105).contains($0) ? 0 : 1.3 }
        #expect(reports.map(\.change) == [.complete], "\(reports)")
    }

    @Test("a long stall is slow until everything has arrived for a window")
    func longStall() {
        let reports = changes(for: 300) { (100..<110).contains($0) ? 0 : 1.3 }
        let kinds = reports.map { $0.share != nil }
        #expect(kinds.first == false && kinds.last == false && kinds.count(where: { !$0 }) == 2, "\(reports)")
        #expect((reports.last?.sinceSkip ?? 0) >= 30 && (reports.last?.second ?? .max) < 150, "\(reports)")
    }

    @Test("skipped frames of a burst do not make a target slow")
    func burst() {
        for (capacity, isSlow) in [(1.1, false), (1.5, false), (0.7, true)] {
            var watch = DeliveryWatch()
            var line = Line()
            var changes: [DeliveryWatch.Change] = []
            for tenth in 0..<3000 {
                // Nothing for half a minute, then the delayed media within a second.
                if tenth == 700 { line.pause(tenths: 300) }
                let speed = (1000..<1010).contains(tenth) ? 30 : 1
                if !(700..<1000).contains(tenth) { line.step(tenth: tenth, capacity: capacity, speed: speed) }
                let change = watch.look(line.place, now: Int64(tenth) * 100_000_000).change
                if let change { changes.append(change) }
            }
            let isReported = changes.contains { if case .slow = $0 { true } else { false } }
            #expect(isReported == isSlow, "\(capacity): \(changes)")
        }
    }

    @Test("a pause of the feed is no burst, and a thin line behind it is slow at once")
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
        // As soon as the feed continues.
        #expect(slowAt.map { $0 < 37_000 + 150 } == true, "\(slowAt ?? -1)")
    }

    @Test("slow comes within a window of a skip, complete only a window after it")
    func random() throws {
        var random = SeededRandom()
        for _ in 0..<60 {
            let least = Double.random(in: 0...1, using: &random)
            let most = Double.random(in: least...2, using: &random)
            var capacities: [Double] = []
            while capacities.count < 900 {
                // Some seconds of one capacity, as in real networks.
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
                    #expect(isSlow != false, "reported twice: \(entry), \(random.hint)")
                    #expect((entry.sinceSkip ?? .infinity) >= 30, "\(entry), \(random.hint)")
                    isSlow = false
                }
            }
        }
    }

    @Test("a line that varies around nine tenths or less is slow and stays slow", arguments: [0.5, 0.7, 0.9])
    func steady(rate: Double) {
        var random = SeededRandom()
        var factors: [Double] = []
        for _ in 0..<900 { factors.append(Double.random(in: 0.9...1.1, using: &random)) }
        let reports = changes(for: 900) { rate * factors[$0] }
        #expect(reports.count > 0 && reports.allSatisfy { $0.share != nil }, "\(reports), \(random.hint)")
    }

    @Test("a share is reported again when it has changed, at most every ten seconds")
    func reportedAgain() {
        let reports = changes(for: 600) { $0 < 300 ? 0.8 : 0.5 }
        for (one, next) in zip(reports, reports.dropFirst()) {
            #expect(next.second - one.second >= 10 && next.change != one.change, "\(reports)")
        }
        #expect(abs((reports.last?.share ?? 0) - 0.5) < 0.05, "\(reports)")
    }

    @Test("looks fall on whole seconds, and no place is computed between two")
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
