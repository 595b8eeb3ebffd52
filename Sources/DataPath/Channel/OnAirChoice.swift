/// Chooses the source of a channel that is on air: the first by priority that delivers.
///
/// A source that comes and goes must not make the output come and go. It goes on air again at once the first time. A
/// source that twice in a row went off air soon after it had gone on air has to settle: it has to deliver steadily for
/// a while before it replaces another source or the slate, and longer with each relapse. Where there is nothing else to
/// show, a source goes on air at once.
///
/// Pure; times are nanoseconds of any clock that does not go back.
struct OnAirChoice {
    /// A source's number in its channel: 0 is the preferred one.
    typealias Priority = Int

    /// Nanoseconds without a frame after which a source no longer counts as delivering.
    var patience: Int64
    private(set) var onAir: Priority?
    private var lastFrame: Int64 = 0
    private var records: [Priority: Record] = [:]

    /// The history of a source.
    private struct Record {
        /// Since when frames have come without a pause.
        var steadySince: Int64?
        var lastFrame: Int64 = 0
        var wentOnAir: Int64 = 0
        /// How often in a row the source went off air soon after it had gone on air.
        var relapses = 0
    }

    /// Nanoseconds on air after which the relapses of a source no longer count.
    static let healthy: Int64 = 10_000_000_000
    private static let second: Int64 = 1_000_000_000
    /// Longest settling in nanoseconds, against another source and against the slate.
    private static let longestSettling = 30 * second
    private static let longestSettlingToSlate = 4 * second

    init(patience: Int64) {
        self.patience = patience
    }

    /// Called with each frame of a source, on air or not.
    mutating func delivered(_ source: Priority, now: Int64) {
        var record = records[source] ?? Record()
        if record.steadySince == nil || now - record.lastFrame >= patience { record.steadySince = now }
        record.lastFrame = now
        records[source] = record
        if onAir == source { lastFrame = now }
    }

    /// Decides whether a source goes on air with a keyframe.
    ///
    /// - Parameter slateIsOnAir: The slate can be shown while the source settles.
    /// - Returns: Whether the source is on air now.
    mutating func keyframe(from source: Priority, slateIsOnAir: Bool = false, now: Int64) -> Bool {
        let isOtherOnAir = onAir != nil && onAir != source && now - lastFrame < patience
        if isOtherOnAir, let onAir, onAir < source { return false }
        if isOtherOnAir || slateIsOnAir {
            let most = isOtherOnAir ? Self.longestSettling : Self.longestSettlingToSlate
            guard now - (records[source]?.steadySince ?? now) >= min(settling(of: source), most) else { return false }
        }
        if let onAir, onAir != source, !isOtherOnAir { noteLoss(of: onAir, at: lastFrame) }
        onAir = source
        lastFrame = now
        records[source, default: Record()].wentOnAir = now
        return true
    }

    /// Called when a source has ended.
    mutating func ended(_ source: Priority, now: Int64) {
        records[source]?.steadySince = nil
        guard onAir == source else { return }
        noteLoss(of: source, at: now)
        onAir = nil
    }

    /// Forgets the history of a source that is another device than before, or the same one plugged in again.
    mutating func forgive(_ source: Priority) { records[source] = nil }

    private mutating func noteLoss(of source: Priority, at time: Int64) {
        guard var record = records[source] else { return }
        record.relapses = time - record.wentOnAir >= Self.healthy ? 0 : min(record.relapses + 1, 16)
        records[source] = record
    }

    private func settling(of source: Priority) -> Int64 {
        guard let relapses = records[source]?.relapses, relapses > 1 else { return 0 }
        return min(Self.longestSettling, Self.second << (relapses - 2))
    }

    /// No source delivers.
    func isSilent(now: Int64) -> Bool { onAir == nil || now - lastFrame >= patience }
}
