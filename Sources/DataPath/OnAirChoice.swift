/// Which source of a channel is on air: the first by priority that delivers.
///
/// Pure; times are nanoseconds of any clock that does not go back.
struct OnAirChoice {
    /// A source's number in its channel: 0 is the one most wanted.
    typealias Priority = Int

    /// Nanoseconds without a picture after which a source no longer counts as delivering.
    var patience: Int64
    private(set) var onAir: Priority?
    private var lastPicture: Int64 = 0

    init(patience: Int64) {
        self.patience = patience
    }

    /// A source has a keyframe, where it could take the air; true when it shall.
    mutating func keyframe(from source: Priority, now: Int64) -> Bool {
        if let onAir, onAir < source, now - lastPicture < patience { return false }
        onAir = source
        lastPicture = now
        return true
    }

    /// The source on air delivered a picture.
    mutating func picture(now: Int64) { lastPicture = now }

    /// A source has ended.
    mutating func ended(_ source: Priority) {
        if onAir == source { onAir = nil }
    }

    /// Nobody delivers.
    func isSilent(now: Int64) -> Bool { onAir == nil || now - lastPicture >= patience }
}
