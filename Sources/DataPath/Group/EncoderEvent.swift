package import MPEGTS

/// An event of an encoder.
package enum EncoderEvent: Sendable, Hashable {
    /// The encoder's first frame is in the group feed.
    ///
    /// - Parameter after: The time since the last frame of the generation before; `nil` for the first generation.
    case delivering(VideoFormat?, after: Duration?)
    /// The encoder got frames for as long as its patience, and gave none.
    case stalled
    /// The encoder was stalled, and gives frames again.
    case recovered
    /// The encoder gives fewer frames than it gets, and falls further and further behind.
    case slow
    /// The encoder was slow, and has caught up.
    case keepsUp
    /// A successor was to take over from the encoder and will not. Frames that the encoder gave meanwhile were
    /// rejected, so it has to be replaced.
    case torn
    /// A later generation took over.
    case superseded
    /// The encoder closed its output.
    case ended
}
