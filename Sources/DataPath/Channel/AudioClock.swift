import MPEGTS

/// The times of sound on its way through a process that converts it: those that it is given, and those of what it
/// gives.
///
/// The process counts milliseconds from the first message on. It fills a pause with silence, which it would also do for
/// an hour, and have all of that in its memory. So it sees none that is longer than a second; what comes back has its
/// place on the source's own timeline.
struct AudioClock {
    /// A part of the source's timeline that the process sees as it is.
    private struct Piece {
        /// Where it begins for the process, in ticks.
        var start: Int64
        /// Ticks from the process's time to the source's.
        var offset: Int64
    }

    /// Oldest first: those that something may yet come of.
    private var pieces: [Piece] = []
    /// The source's time of the first message, in ticks; `nil` before that.
    private(set) var begin: Int64?
    /// The newest time for the process, in ticks.
    private(set) var newest: Int64 = 0

    private static let tick = Ticks.perSecond / 1000
    /// Ticks from one message to the next as the process sees them, at the most. A ``Splicer`` puts silence where sound
    /// is missing for longer.
    private static let longestPause = Ticks.perSecond
    /// Each takes a second of sound; a process that gives nothing for so long is ended.
    private static let mostPieces = 16

    init() { pieces.reserveCapacity(Self.mostPieces) }

    /// When the process is to have a message.
    ///
    /// - Parameter time: Of the source, in ticks.
    /// - Returns: Milliseconds since the first one.
    mutating func stamp(_ time: Int64) -> UInt32 {
        guard let piece = pieces.last else {
            begin = time
            pieces.append(Piece(start: 0, offset: time))
            return 0
        }
        // Times of a source may go back by a little.
        var own = max(time - piece.offset, newest)
        if own - newest > Self.longestPause {
            own = newest + Self.longestPause
            if pieces.count == Self.mostPieces { pieces.removeFirst() }
            pieces.append(Piece(start: own, offset: time - own))
        }
        newest = own
        return UInt32(truncatingIfNeeded: (own + Self.tick / 2) / Self.tick)
    }

    /// Where something that came of the process belongs on the source's timeline, in ticks.
    ///
    /// - Parameter pts: 33 bits as on the wire.
    /// - Returns: `nil` where the process was given nothing.
    mutating func time(of pts: Int64) -> Int64? {
        let own = Ticks.extend(pts, near: newest)
        while pieces.count > 1, pieces[1].start <= own { pieces.removeFirst() }
        return pieces.first.map { own + $0.offset }
    }
}
