import Synchronization

/// What groups give a second, from looks at their counters.
final class RateMeter: Sendable {
    struct Counters: Sendable {
        var frames: Int
        /// Of picture and sound.
        var bytes: Int
        /// Where the timeline ends, in seconds; `nil` before the first picture.
        var streamSeconds: Double?
    }

    struct Rates: Sendable {
        var fps = 0.0
        var bitsPerSecond = 0.0
        var speed = 0.0
    }

    private struct Look {
        var at: ContinuousClock.Instant
        var counters: Counters
    }

    /// Pictures come evenly.
    private static let pictureWindow = Duration.seconds(3)
    /// Bits do not: a keyframe takes many times what another picture takes. So many seconds hold several.
    private static let bitWindow = Duration.seconds(10)
    /// Between two looks that are kept.
    private static let spacing = Duration.milliseconds(500)
    /// Less would make the figures jump.
    private static let shortest = Duration.milliseconds(900)

    /// By group, oldest first.
    private let looks = Mutex<[String: [Look]]>([:])

    func rates(of group: String, _ counters: Counters, at now: ContinuousClock.Instant = .now) -> Rates {
        looks.withLock { looks in
            var before = looks[group] ?? []
            // One that came back counts anew.
            if let last = before.last, counters.frames < last.counters.frames || counters.bytes < last.counters.bytes {
                before = []
            }
            if before.last?.counters.streamSeconds == nil, counters.streamSeconds != nil { before = [] }
            // Where looks are far between, the last one is all there is to go by.
            if let last = before.last { before = before.filter { now - $0.at <= Self.bitWindow || $0.at == last.at } }
            let rates = Rates(
                fps: Self.rate(from: before, within: Self.pictureWindow, at: now) {
                    Double(counters.frames - $0.frames)
                },
                bitsPerSecond: Self.rate(from: before, within: Self.bitWindow, at: now) {
                    Double(counters.bytes - $0.bytes) * 8
                },
                speed: Self.rate(from: before, within: Self.pictureWindow, at: now) { old in
                    guard let start = old.streamSeconds, let end = counters.streamSeconds else { return 0 }
                    return max(0, end - start)
                })
            if before.last.map({ now - $0.at >= Self.spacing }) ?? true {
                before.append(Look(at: now, counters: counters))
            }
            looks[group] = before
            return rates
        }
    }

    /// Forgets groups that are no more.
    func keep(only groups: Set<String>) {
        looks.withLock { looks in
            for group in looks.keys where !groups.contains(group) { looks[group] = nil }
        }
    }

    /// The growth since the first look of a window, a second; where there was none so lately, since the last one
    /// before.
    private static func rate(
        from looks: [Look], within window: Duration, at now: ContinuousClock.Instant, _ growth: (Counters) -> Double
    ) -> Double {
        let old = looks.filter { now - $0.at >= shortest }
        guard let start = old.first(where: { now - $0.at <= window }) ?? old.last else { return 0 }
        return growth(start.counters) / (now - start.at).seconds
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
