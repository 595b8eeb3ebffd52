import MPEGTS

/// Shows a clip in real time, round after round, without a break in its timeline.
///
/// When a picture is due is counted from the start, so that nothing adds up over the hours.
final class SlatePlayer {
    let clip: SlateClip
    private var reader: SlateReader
    private var writer = Splicer.Writer(.following)
    private let start: Int64
    /// Pictures shown so far.
    private var shown = 0
    private var isFirstOfRound = false

    /// Pictures that are made up for at once after the loop was held up; behind more than that the clip begins anew.
    private static let mostBehind: Int64 = 1_000_000_000

    /// - Parameter start: When the first picture is due, in nanoseconds of the monotonic clock.
    init(_ clip: SlateClip, start: Int64) {
        self.clip = clip
        self.start = start
        reader = SlateReader(clip.bytes)
    }

    /// When the next picture is due, in nanoseconds of the monotonic clock.
    var due: Int64 { start + clip.time(of: shown, perSecond: 1_000_000_000) }

    /// It is so far behind that it has to begin anew.
    func isLost(now: Int64) -> Bool { now - due > Self.mostBehind }

    /// Puts every picture that is due into a feed.
    func play(into splicer: inout Splicer, now: Int64) {
        while due <= now {
            guard let unit = reader.next() else {
                // Its clip was looked through before: there is a picture in each round.
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
