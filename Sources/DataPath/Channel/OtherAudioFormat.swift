import MPEGTS

/// Notes that a source's audio has another format than its channel's.
struct OtherAudioFormat {
    private var format: AACFormat?
    private var isReported = false

    /// Whether the source's audio does not enter the feed.
    var isRefused: Bool { format != nil }

    /// Called when a unit has the channel's format, or the channel accepts any.
    mutating func isOver() { format = nil }

    /// Notes a unit in another format.
    ///
    /// - Returns: Whether the format has to be reported: once for each format, at its second unit, because the header
    ///   of the first may be damaged.
    mutating func note(_ found: AACFormat) -> Bool {
        guard found == format else {
            (format, isReported) = (found, false)
            return false
        }
        defer { isReported = true }
        return !isReported
    }
}
