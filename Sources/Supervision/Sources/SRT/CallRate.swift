/// Watches whether a call keeps the rate that the bitrate of its encoder was derived from.
///
/// Pure: bytes and times come from outside.
struct CallRate: Sendable {
    private struct Sample {
        /// The bytes of the call so far.
        var bytes: Int64
        var at: ContinuousClock.Instant

        func bitsPerSecond(since other: Sample) -> Double {
            Double(bytes - other.bytes) * 8 / (at - other.at).seconds
        }
    }

    /// A rate outside the bounds, and the sample at which it began.
    private struct Doubt {
        var since: Sample
        var isFaster: Bool
    }

    /// The samples of the last window, and one before it.
    private var samples: [Sample] = []
    /// Bits per second that the call had when it was measured. `nil` before that.
    private var reference: Double?
    private var isMeasured = false
    private var doubt: Doubt?
    private var changed: ContinuousClock.Instant?

    /// How long a rate is measured: a keyframe takes many times the bytes of another frame.
    private static let window = Duration.seconds(2)
    /// The factor by which a rate has to be higher or lower than the measured one.
    private static let factor = 2.0
    /// How long it has to be so.
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
    /// - Returns: The present rate divided by the measured one. `nil` while they agree.
    mutating func note(_ bytes: Int64, at now: ContinuousClock.Instant) -> Double? {
        if let last = samples.last, bytes < last.bytes || now <= last.at { return nil }
        let sample = Sample(bytes: bytes, at: now)
        samples.append(sample)
        while samples.count > 2, now - samples[1].at >= Self.window { samples.removeFirst() }
        guard isMeasured, now - samples[0].at >= Self.window else { return nil }
        let rate = sample.bitsPerSecond(since: samples[0])
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
            self.doubt = Doubt(since: sample, isFaster: isFaster)
            return nil
        }
        guard now - doubt.since.at >= Self.patience, changed.map({ now - $0 >= Self.calm }) ?? true else { return nil }
        let found = sample.bitsPerSecond(since: doubt.since)
        self.reference = found
        self.doubt = nil
        changed = now
        return found / reference
    }
}
