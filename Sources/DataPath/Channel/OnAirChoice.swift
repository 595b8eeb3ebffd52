/// Which source of a channel is on air: the first by priority that delivers.
///
/// A source that comes and goes must not make the output come and go. Its first return is at once. One that lost the
/// air soon after it had taken it, twice in a row, has to deliver steadily for a while before it takes the air from
/// another source or from the slate, and longer with each relapse. Where there is nothing else to show it is let on air
/// at once, whatever it did.
///
/// Pure; times are nanoseconds of any clock that does not go back.
struct OnAirChoice {
    /// A source's number in its channel: 0 is the one most wanted.
    typealias Priority = Int

    /// Nanoseconds without a picture after which a source no longer counts as delivering.
    var patience: Int64
    private(set) var onAir: Priority?
    private var lastPicture: Int64 = 0
    private var records: [Priority: Record] = [:]

    /// What a source did so far.
    private struct Record {
        /// When the pictures began that have not paused since.
        var steadySince: Int64?
        var lastPicture: Int64 = 0
        var tookAir: Int64 = 0
        /// How often in a row it lost the air soon after it had taken it.
        var relapses = 0
    }

    /// A source that was on air for so many nanoseconds has its relapses forgiven.
    static let healthy: Int64 = 10_000_000_000
    private static let second: Int64 = 1_000_000_000
    /// Nanoseconds of settling at the most, against another source and against the slate.
    private static let longestSettling = 30 * second
    private static let longestSettlingToSlate = 4 * second

    init(patience: Int64) {
        self.patience = patience
    }

    /// A source delivered a picture, on air or not.
    mutating func delivered(_ source: Priority, now: Int64) {
        var record = records[source] ?? Record()
        if record.steadySince == nil || now - record.lastPicture >= patience { record.steadySince = now }
        record.lastPicture = now
        records[source] = record
        if onAir == source { lastPicture = now }
    }

    /// A source has a keyframe, where it could take the air; true when it shall.
    ///
    /// - Parameter slateIsOnAir: There is something to show until then.
    mutating func keyframe(from source: Priority, slateIsOnAir: Bool = false, now: Int64) -> Bool {
        let isOtherOnAir = onAir != nil && onAir != source && now - lastPicture < patience
        if isOtherOnAir, let onAir, onAir < source { return false }
        if isOtherOnAir || slateIsOnAir {
            let most = isOtherOnAir ? Self.longestSettling : Self.longestSettlingToSlate
            guard now - (records[source]?.steadySince ?? now) >= min(settling(of: source), most) else { return false }
        }
        if let onAir, onAir != source, !isOtherOnAir { noteLoss(of: onAir, at: lastPicture) }
        onAir = source
        lastPicture = now
        records[source, default: Record()].tookAir = now
        return true
    }

    /// A source has ended.
    mutating func ended(_ source: Priority, now: Int64) {
        records[source]?.steadySince = nil
        guard onAir == source else { return }
        noteLoss(of: source, at: now)
        onAir = nil
    }

    /// A source is another device than before, or the same one plugged in again: what it did so far does not count.
    mutating func forgive(_ source: Priority) { records[source] = nil }

    private mutating func noteLoss(of source: Priority, at time: Int64) {
        guard var record = records[source] else { return }
        record.relapses = time - record.tookAir >= Self.healthy ? 0 : min(record.relapses + 1, 16)
        records[source] = record
    }

    private func settling(of source: Priority) -> Int64 {
        guard let relapses = records[source]?.relapses, relapses > 1 else { return 0 }
        return min(Self.longestSettling, Self.second << (relapses - 2))
    }

    /// Nobody delivers.
    func isSilent(now: Int64) -> Bool { onAir == nil || now - lastPicture >= patience }
}
