import MPEGTS

/// Maps the times of audio to those of the process that converts it, and back.
///
/// The process counts milliseconds from the first message on. It fills a pause with silence. It would do so for an
/// hour, too, and keep all of that in its memory. So the clock shortens each pause to a second, and maps the output
/// back to its place on the source's own timeline.
struct AudioClock {
    /// A part of the source's timeline without a shortened pause.
    private struct Piece {
        /// Where the piece begins for the process, in ticks.
        var start: Int64
        /// Ticks from the process's time to the source's.
        var offset: Int64
    }

    /// The pieces that may still produce output, oldest first.
    private var pieces: [Piece] = []
    /// The source's time of the first message, in ticks; `nil` before it.
    private(set) var begin: Int64?
    /// The newest time for the process, in ticks.
    private(set) var newest: Int64 = 0

    private static let tick = Ticks.perSecond / 1000
    /// Longest time between two messages as the process sees them, in ticks. A ``Splicer`` puts silence where audio is
    /// missing for longer.
    private static let longestPause = Ticks.perSecond
    /// Each piece takes a second of audio. A process that gives nothing for so long is ended.
    private static let mostPieces = 16

    init() { pieces.reserveCapacity(Self.mostPieces) }

    /// Computes the process's timestamp of a message.
    ///
    /// - Parameter time: The source's time, in ticks.
    /// - Returns: Milliseconds since the first message.
    mutating func stamp(_ time: Int64) -> UInt32 {
        guard let piece = pieces.last else {
            begin = time
            pieces.append(Piece(start: 0, offset: time))
            return 0
        }
        // Times of a source may go back a little.
        var own = max(time - piece.offset, newest)
        if own - newest > Self.longestPause {
            own = newest + Self.longestPause
            if pieces.count == Self.mostPieces { pieces.removeFirst() }
            pieces.append(Piece(start: own, offset: time - own))
        }
        newest = own
        return UInt32(truncatingIfNeeded: (own + Self.tick / 2) / Self.tick)
    }

    /// Computes the source's time of a piece of the process's output, in ticks.
    ///
    /// - Parameter pts: 33 bits as on the wire.
    /// - Returns: `nil` where the process got nothing.
    mutating func time(of pts: Int64) -> Int64? {
        let own = Ticks.extend(pts, near: newest)
        while pieces.count > 1, pieces[1].start <= own { pieces.removeFirst() }
        return pieces.first.map { own + $0.offset }
    }
}
