/// Watches whether a call keeps the rate that the bitrate of its encoder was derived from.
///
/// Pure: bytes and times come from outside.
struct CallRate: Sendable {
    private struct Look {
        /// The bytes of the call so far.
        var bytes: Int64
        var at: ContinuousClock.Instant

        func bitsPerSecond(since other: Look) -> Double {
            Double(bytes - other.bytes) * 8 / (at - other.at).seconds
        }
    }

    /// A rate outside the bounds, and since when.
    private struct Doubt {
        var since: Look
        var isFaster: Bool
    }

    /// The looks of the last window, and one before it.
    private var looks: [Look] = []
    /// Bits a second that the call had when it was measured; `nil` before that.
    private var reference: Double?
    private var isMeasured = false
    private var doubt: Doubt?
    private var changed: ContinuousClock.Instant?

    /// How long a rate is measured: a keyframe takes many times the bytes of another frame.
    private static let window = Duration.seconds(2)
    /// By which factor a rate has to be higher or lower than the measured one.
    private static let factor = 2.0
    /// For how long.
    static let patience = Duration.seconds(10)
    /// The shortest time from one change to the next: each costs the frames up to the next keyframe.
    static let calm = Duration.seconds(30)

    /// The present rate of the call is the measured one.
    mutating func measured() {
        isMeasured = true
        reference = nil
        doubt = nil
    }

    /// Notes the bytes of the call so far.
    ///
    /// - Returns: The present rate divided by the measured one; `nil` while they agree.
    mutating func note(_ bytes: Int64, at now: ContinuousClock.Instant) -> Double? {
        if let last = looks.last, bytes < last.bytes || now <= last.at { return nil }
        let look = Look(bytes: bytes, at: now)
        looks.append(look)
        while looks.count > 2, now - looks[1].at >= Self.window { looks.removeFirst() }
        guard isMeasured, now - looks[0].at >= Self.window else { return nil }
        let rate = look.bitsPerSecond(since: looks[0])
        guard let reference, reference > 0 else {
            self.reference = rate
            return nil
        }
        let isFaster = rate >= reference * Self.factor
        guard isFaster || rate <= reference / Self.factor else {
            self.doubt = nil
            return nil
        }
        guard let doubt, doubt.isFaster == isFaster else {
            self.doubt = Doubt(since: look, isFaster: isFaster)
            return nil
        }
        guard now - doubt.since.at >= Self.patience, changed.map({ now - $0 >= Self.calm }) ?? true else { return nil }
        let found = look.bitsPerSecond(since: doubt.since)
        self.reference = found
        self.doubt = nil
        changed = now
        return found / reference
    }
}
