package import MPEGTS

/// An event of a source.
package enum SourceEvent: Sendable, Hashable {
    /// The first program is known, or another one.
    case program(Program)
    /// Video frames arrive. Also reported after a ``stalled``.
    case delivering(VideoFormat?)
    /// The video continues with another size or with other parameter sets, or its measured frame rate differs from the
    /// reported one.
    case changed(VideoFormat?)
    /// The source went on air.
    case onAir(VideoFormat?)
    /// Another source went on air.
    case offAir
    /// No frame came within the source's patience.
    case stalled
    /// The source runs ahead of real time and is held back, or no longer so.
    case ahead(Bool)
    /// A feed does not carry the source's audio as it comes, or such audio has changed; `nil` once a feed carries it
    /// again. Silence replaces the audio until a converter is attached.
    case foreignAudio(ForeignAudio?)
    /// The source's audio has another format than the channel's, which a group copies. Silence replaces it: the audio
    /// has to be converted.
    case otherAudioFormat(AACFormat, channel: AACFormat)
    /// The source is on air, and for seconds its audio has been too far from its video to enter the feed. The value is
    /// how far the audio is behind the video, negative where it is ahead, to a tenth of a second. Silence replaces the
    /// audio. `nil` once audio is accepted again, or once that source or audio is gone.
    case lateAudio(Duration?)
    /// This many frames arrived and will not come out encoded.
    case lost(Int)
    /// The input was no frames.
    case unreadable(String)
    /// The relay closed its end, or the publisher has gone.
    case ended
}
