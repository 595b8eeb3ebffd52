import Synchronization

/// Computes frames and bits per second of groups from successive readings of their counters.
final class RateMeter: Sendable {
    struct Counters: Sendable {
        var frames: Int
        /// The bytes of video and audio together.
        var bytes: Int
        /// The end of the timeline, in seconds. `nil` before the first frame.
        var streamSeconds: Double?
    }

    struct Rates: Sendable {
        var fps = 0.0
        var bitsPerSecond = 0.0
        var speed = 0.0
    }

    private struct Reading {
        var at: ContinuousClock.Instant
        var counters: Counters
    }

    /// Frames arrive evenly, so a short window is enough.
    private static let frameWindow = Duration.seconds(3)
    /// Bits do not: a keyframe takes many times the bits of another frame. This window contains several keyframes.
    private static let bitWindow = Duration.seconds(10)
    /// The shortest time between two readings that are kept.
    private static let spacing = Duration.milliseconds(500)
    /// The shortest time that a rate is computed over: less would make the figures jump.
    private static let shortest = Duration.milliseconds(900)

    /// Readings by group, oldest first.
    private let readings = Mutex<[String: [Reading]]>([:])

    /// Notes the counters of a group.
    ///
    /// - Returns: The rates since earlier readings; zero for the first.
    func rates(of group: String, _ counters: Counters, at now: ContinuousClock.Instant = .now) -> Rates {
        readings.withLock { readings in
            var before = readings[group] ?? []
            // The counters of a group that came back start from zero.
            if let last = before.last, counters.frames < last.counters.frames || counters.bytes < last.counters.bytes {
                before = []
            }
            if before.last?.counters.streamSeconds == nil, counters.streamSeconds != nil { before = [] }
            // If readings are rare, the last one is the only one to compare with.
            if let last = before.last { before = before.filter { now - $0.at <= Self.bitWindow || $0.at == last.at } }
            let rates = Rates(
                fps: Self.rate(from: before, within: Self.frameWindow, at: now) {
                    Double(counters.frames - $0.frames)
                },
                bitsPerSecond: Self.rate(from: before, within: Self.bitWindow, at: now) {
                    Double(counters.bytes - $0.bytes) * 8
                },
                speed: Self.rate(from: before, within: Self.frameWindow, at: now) { old in
                    guard let start = old.streamSeconds, let end = counters.streamSeconds else { return 0 }
                    return max(0, end - start)
                })
            if before.last.map({ now - $0.at >= Self.spacing }) ?? true {
                before.append(Reading(at: now, counters: counters))
            }
            readings[group] = before
            return rates
        }
    }

    /// Forgets all other groups.
    func keep(only groups: Set<String>) {
        readings.withLock { readings in
            for group in readings.keys where !groups.contains(group) { readings[group] = nil }
        }
    }

    /// Returns the growth a second since the first reading of a window, or since the last reading before it if there is
    /// none in the window.
    private static func rate(
        from readings: [Reading], within window: Duration, at now: ContinuousClock.Instant,
        _ growth: (Counters) -> Double
    ) -> Double {
        let old = readings.filter { now - $0.at >= shortest }
        guard let start = old.first(where: { now - $0.at <= window }) ?? old.last else { return 0 }
        return growth(start.counters) / (now - start.at).seconds
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
