import MPEGTS

/// Plays a clip in real time, round after round, without a break in its timeline.
///
/// The due time of each frame is computed from the start, so that rounding errors do not add up over hours.
final class SlatePlayer {
    let clip: SlateClip
    private var reader: SlateReader
    private var writer = Splicer.Writer(.following)
    private let start: Int64
    /// Frames shown so far.
    private var shown = 0
    private var isFirstOfRound = false

    /// Longest delay of the loop, in nanoseconds, after which the missed frames are sent at once. After a longer one
    /// the clip begins again.
    private static let mostBehind: Int64 = 1_000_000_000

    /// - Parameter start: When the first frame is due, in nanoseconds of the monotonic clock.
    init(_ clip: SlateClip, start: Int64) {
        self.clip = clip
        self.start = start
        reader = SlateReader(clip.bytes)
    }

    /// When the next frame is due, in nanoseconds of the monotonic clock.
    var due: Int64 { start + clip.time(of: shown, perSecond: 1_000_000_000) }

    /// The player is so far behind that it has to begin again.
    func isLost(now: Int64) -> Bool { now - due > Self.mostBehind }

    /// Puts all due frames into a feed.
    func play(into splicer: inout Splicer, now: Int64) {
        while due <= now {
            guard let unit = reader.next() else {
                // The clip was checked before: there is a frame in each round.
                reader = SlateReader(clip.bytes)
                isFirstOfRound = true
                continue
            }
            if isFirstOfRound {
                writer.beginAgain(after: clip.duration)
                isFirstOfRound = false
            }
            _ = splicer.accept(unit, of: &writer, from: reader.parser, now: Ticks.fromNanoseconds(due))
            shown += 1
        }
    }
}
