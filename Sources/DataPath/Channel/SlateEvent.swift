package import MPEGTS

/// An event of a channel's slate.
package enum SlateEvent: Sendable, Hashable {
    case onAir(VideoFormat)
    /// A source went on air.
    case offAir
}
