package import MPEGTS

/// What a channel reports of its slate.
package enum SlateEvent: Sendable, Hashable {
    case onAir(VideoFormat)
    /// A source took the air.
    case offAir
}
