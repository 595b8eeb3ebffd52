package import MPEGTS

/// An event of a channel's slate.
package enum SlateEvent: Sendable, Hashable {
    /// The slate went on air, in this format.
    case onAir(VideoFormat)
    /// The slate went off air, because a source went on air.
    case offAir
}
