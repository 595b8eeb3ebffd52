/// Watches whether a call keeps to the rate by which its picture is encoded.
///
/// Pure: bytes and times come from outside.
struct CallRate: Sendable {
    private struct Look {
        /// That the call has brought so far.
        var bytes: Int64
        var at: ContinuousClock.Instant

        func bitsPerSecond(since other: Look) -> Double {
            Double(bytes - other.bytes) * 8 / (at - other.at).seconds
        }
    }

    /// The rate is beyond the bounds.
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

    /// A rate is that of so long a time: a picture that is complete in itself takes many times what another one takes.
    private static let window = Duration.seconds(2)
    /// How often what it was, or what part of it, a rate has to be.
    private static let factor = 2.0
    /// How long it has to be so.
    static let patience = Duration.seconds(10)
    /// From one change to the next: each costs the frames up to the next keyframe.
    static let calm = Duration.seconds(30)

    /// What the call brings now is what has been measured.
    mutating func measured() {
        isMeasured = true
        reference = nil
        doubt = nil
    }

    /// Takes how much the call has brought.
    ///
    /// - Returns: How many times the measured rate it has; `nil` while that is still the one.
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
