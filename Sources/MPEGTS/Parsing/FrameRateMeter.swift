package import MediaTypes

/// Measures the frame rate of a stream by the decoding times of its units.
///
/// What a stream says of its rate is often wrong: a phone says 1000 for the ticks of its clock. Decoding times rise
/// evenly with reordered frames too, and do not depend on when the frames arrive: a burst and a pause change nothing.
///
/// Pure: a unit costs a subtraction and two additions; everything else is done twice a second.
package struct FrameRateMeter: Sendable {
    /// Frames per second, the next standard rate where one is near; `nil` until it is known.
    package private(set) var rate: FrameRate?

    /// Frames, and the ticks that they took.
    private struct Count {
        var frames: Int64 = 0
        var ticks: Int64 = 0

        var perSecond: Double { Double(frames) * Double(Ticks.perSecond) / Double(ticks) }

        func agrees(with other: Count) -> Bool { FrameRate.agree(perSecond, other.perSecond) }

        mutating func add(_ other: Count) {
            frames += other.frames
            ticks += other.ticks
        }
    }

    private var last: Int64?
    /// Counted since the last piece was complete.
    private var piece = Count()
    /// What ``rate`` was read from.
    private var settled: Count?
    /// The last pieces, each of which agrees with those before it, and not with ``settled``.
    private var run = Count()
    private var runPieces = 0
    /// Everything since a piece last agreed with ``settled``.
    private var doubtful = Count()
    private var doubtfulPieces = 0
    /// Pieces in a row that make a new rate.
    private var needed = FrameRateMeter.first
    /// Pieces that agreed with ``settled``.
    private var calm = 0

    /// Ticks of a piece, at least.
    private static let pieceLength = Ticks.perSecond / 2
    /// Pieces in a row that make the first rate, and the next one. Each change doubles the number, up to a limit, so
    /// that an encoder does not follow every change of a camera that goes by the light.
    private static let first = 2
    private static let next = 4
    private static let most = 32
    /// Pieces after which the changes before are forgotten.
    private static let forgotten = 120
    /// Where pieces keep differing, their average is the rate after so many times as many.
    private static let patience = 4
    /// A step in time that is a pause or another timeline.
    private static let longestStep = 10 * Ticks.perSecond
    /// Frames per second that no stream has.
    private static let fastest = 300.0

    package init() {}

    /// Takes the decoding time of the next unit, as it stands on the wire.
    ///
    /// - Returns: Whether ``rate`` is another one than before.
    @inline(__always)
    package mutating func note(_ dts: Int64) -> Bool {
        guard let last else {
            self.last = dts
            return false
        }
        self.last = dts
        // A step back is a large number here.
        let step = Ticks.onWire(dts - last)
        guard step <= Self.longestStep else {
            piece = Count()
            return false
        }
        // Two fields of a frame may have the same time.
        if step > 0 { piece.frames += 1 }
        piece.ticks += step
        return piece.ticks >= Self.pieceLength && closePiece()
    }

    private mutating func closePiece() -> Bool {
        let piece = piece
        self.piece = Count()
        guard piece.perSecond <= Self.fastest else { return false }
        if let settled, piece.agrees(with: settled) {
            calm += 1
            if calm >= Self.forgotten { needed = Self.next }
            forgetDoubts()
            return false
        }
        if runPieces == 0 || !piece.agrees(with: run) { (run, runPieces) = (Count(), 0) }
        run.add(piece)
        runPieces += 1
        doubtful.add(piece)
        doubtfulPieces += 1
        if runPieces >= needed { return settle(on: run) }
        return doubtfulPieces >= Self.patience * needed && settle(on: doubtful)
    }

    private mutating func forgetDoubts() {
        (run, runPieces) = (Count(), 0)
        (doubtful, doubtfulPieces) = (Count(), 0)
    }

    private mutating func settle(on count: Count) -> Bool {
        forgetDoubts()
        // The average of pieces that differ may be what it was.
        if let settled, count.agrees(with: settled) { return false }
        needed = settled == nil ? Self.next : min(2 * needed, Self.most)
        settled = count
        calm = 0
        let found = FrameRate(near: count.perSecond)
        defer { rate = found }
        return found != rate
    }
}

extension FrameRate {
    /// Two rates are the same as far as an encoder is concerned.
    static func agree(_ first: Double, _ second: Double) -> Bool { abs(first - second) <= 0.1 * max(first, second) }

    /// The standard rate near a number of frames per second, or that number in thousandths.
    init(near perSecond: Double) {
        let whole = max(1, Int(perSecond.rounded()))
        let candidates = [Self(whole, 1)] + ([24, 30, 48, 60, 120].contains(whole) ? [Self(whole * 1000, 1001)] : [])
        let nearest = candidates.min { abs($0.perSecond - perSecond) < abs($1.perSecond - perSecond) } ?? candidates[0]
        self =
            abs(nearest.perSecond - perSecond) <= 0.02 * perSecond
            ? nearest : Self(max(1, Int((perSecond * 1000).rounded())), 1000)
    }

    /// Both are the same rate as far as an encoder is concerned: they differ by a tenth at the most.
    package func agrees(with other: Self) -> Bool { Self.agree(perSecond, other.perSecond) }
}

extension VideoFormat {
    /// The fastest rate that is believed before it has been measured: what is faster is most often the ticks of a
    /// clock.
    static let fastestAnnounced = 60.0
    /// Frames a second that interlaced material has at the most; its fields may come one by one.
    private static let fastestInterlaced = 33.0

    /// The same with a frame rate that holds: the one that the stream announces, where that agrees with what was
    /// measured, else the latter.
    ///
    /// - Parameter measured: `nil` while it is not known.
    package func paced(by measured: FrameRate?) -> VideoFormat {
        var format = self
        guard let measured else {
            if let announced = frameRate, announced.perSecond > Self.fastestAnnounced { format.frameRate = nil }
            return format
        }
        if let announced = frameRate, announced.agrees(with: measured) { return self }
        format.frameRate = measured
        if isInterlaced, measured.perSecond > Self.fastestInterlaced {
            let frames = FrameRate(measured.numerator, measured.denominator * 2)
            format.frameRate = frameRate.flatMap { $0.agrees(with: frames) ? $0 : nil } ?? frames
        }
        return format
    }
}
