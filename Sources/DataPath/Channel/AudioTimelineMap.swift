import MPEGTS

/// Converts times between the source's timeline and the timeline of the process that converts the source's audio.
///
/// The process counts milliseconds from the first message on, and fills a pause with silence. If a source paused for an
/// hour, the process would hold an hour of silence in its memory. Therefore each pause is shortened to a second for the
/// process, and its output is put back in its place on the source's timeline.
struct AudioTimelineMap {
    /// A part of the source's timeline without a shortened pause.
    private struct Piece {
        /// The process's time at which the piece begins, in ticks.
        var start: Int64
        /// The difference to add to the process's time to get the source's time, in ticks.
        var offset: Int64
    }

    /// The pieces of which output may still arrive, oldest first.
    private var pieces: [Piece] = []
    /// The source's time of the first message, in ticks. `nil` before that message.
    private(set) var firstTime: Int64?
    /// The process's time of the newest message, in ticks.
    private(set) var newest: Int64 = 0

    private static let ticksPerMillisecond = Ticks.perSecond / 1000
    /// The longest time between two messages on the process's timeline, in ticks. A ``Splicer`` inserts silence where
    /// audio is missing for longer.
    private static let longestPause = Ticks.perSecond
    /// A piece begins at least a second after the one before it, so 16 pieces cover at least 16 seconds. A process
    /// without output for that long has been ended before.
    private static let mostPieces = 16

    init() { pieces.reserveCapacity(Self.mostPieces) }

    /// Converts the time of a message to the process's timeline, and remembers it.
    ///
    /// - Parameter time: The source's time, in ticks.
    /// - Returns: Milliseconds since the first message.
    mutating func processTimestamp(for time: Int64) -> UInt32 {
        guard let piece = pieces.last else {
            firstTime = time
            pieces.append(Piece(start: 0, offset: time))
            return 0
        }
        // The times of a source may go back a little. The process's time does not.
        var processTime = max(time - piece.offset, newest)
        if processTime - newest > Self.longestPause {
            processTime = newest + Self.longestPause
            if pieces.count == Self.mostPieces { pieces.removeFirst() }
            pieces.append(Piece(start: processTime, offset: time - processTime))
        }
        newest = processTime
        return UInt32(
            truncatingIfNeeded: (processTime + Self.ticksPerMillisecond / 2) / Self.ticksPerMillisecond)
    }

    /// Converts a timestamp of the process's output to the source's timeline.
    ///
    /// - Parameter pts: The timestamp as it is in the MPEG-TS, 33 bits of ticks.
    /// - Returns: The source's time, in ticks. `nil` before the first message.
    mutating func sourceTime(of pts: Int64) -> Int64? {
        let processTime = Ticks.extend(pts, near: newest)
        while pieces.count > 1, pieces[1].start <= processTime { pieces.removeFirst() }
        return pieces.first.map { processTime + $0.offset }
    }
}
