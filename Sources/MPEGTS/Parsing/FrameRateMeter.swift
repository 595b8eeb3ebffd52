package import MediaTypes

/// Measures the frame rate of a stream from the decoding times of its units.
///
/// The rate that a stream announces is often wrong: phones announce 1000, the ticks of their clock. Decoding times rise
/// evenly with reordered frames too, and do not depend on the arrival of the frames: bursts and pauses have no effect.
///
/// Pure. A unit costs a subtraction and two additions; the rest is done twice a second.
package struct FrameRateMeter: Sendable {
    /// Frames per second, as a standard rate if one is near; `nil` until it is known.
    package private(set) var rate: FrameRate?

    /// A number of frames, and their duration in ticks.
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
    /// The frames since the last piece was complete.
    private var piece = Count()
    /// The count that ``rate`` was computed from.
    private var settled: Count?
    /// The last pieces, which agree with each other and not with ``settled``.
    private var run = Count()
    private var runPieces = 0
    /// All pieces since one last agreed with ``settled``.
    private var doubtful = Count()
    private var doubtfulPieces = 0
    /// Pieces in a row that are needed for a new rate.
    private var needed = FrameRateMeter.first
    /// Pieces that agreed with ``settled``.
    private var agreed = 0

    /// The shortest duration of a piece, in ticks.
    private static let pieceLength = Ticks.perSecond / 2
    /// Pieces in a row that are needed for the first rate, and for the next one. Each change doubles the number, up to
    /// a limit, so that an encoder does not follow every change of a camera that adapts its rate to the light.
    private static let first = 2
    private static let next = 4
    private static let most = 32
    /// Pieces after which earlier changes are forgotten.
    private static let forgotten = 120
    /// If pieces keep differing, their average becomes the rate after this multiple of the needed pieces.
    private static let patience = 4
    /// A longer step in time is a pause or another timeline.
    private static let longestStep = 10 * Ticks.perSecond
    /// No stream has more frames per second.
    private static let fastest = 300.0

    package init() {}

    /// Takes the decoding time of the next unit, as on the wire.
    ///
    /// - Returns: Whether ``rate`` has changed.
    @inline(__always)
    package mutating func note(_ dts: Int64) -> Bool {
        guard let last else {
            self.last = dts
            return false
        }
        self.last = dts
        // A step back becomes a large number here.
        let step = Ticks.onWire(dts - last)
        guard step <= Self.longestStep else {
            piece = Count()
            return false
        }
        // The two fields of a frame may have the same time.
        if step > 0 { piece.frames += 1 }
        piece.ticks += step
        return piece.ticks >= Self.pieceLength && closePiece()
    }

    private mutating func closePiece() -> Bool {
        let piece = piece
        self.piece = Count()
        guard piece.perSecond <= Self.fastest else { return false }
        if let settled, piece.agrees(with: settled) {
            agreed += 1
            if agreed >= Self.forgotten { needed = Self.next }
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
        // The average of differing pieces may be the same as before.
        if let settled, count.agrees(with: settled) { return false }
        needed = settled == nil ? Self.next : min(2 * needed, Self.most)
        settled = count
        agreed = 0
        let found = FrameRate(near: count.perSecond)
        defer { rate = found }
        return found != rate
    }
}

extension FrameRate {
    /// Whether two rates are the same for an encoder.
    static func agree(_ first: Double, _ second: Double) -> Bool { abs(first - second) <= 0.1 * max(first, second) }

    /// The standard rate near a number of frames per second, or that number as a fraction of 1000.
    init(near perSecond: Double) {
        let whole = max(1, Int(perSecond.rounded()))
        let candidates = [Self(whole, 1)] + ([24, 30, 48, 60, 120].contains(whole) ? [Self(whole * 1000, 1001)] : [])
        let nearest = candidates.min { abs($0.perSecond - perSecond) < abs($1.perSecond - perSecond) } ?? candidates[0]
        self =
            abs(nearest.perSecond - perSecond) <= 0.02 * perSecond
            ? nearest : Self(max(1, Int((perSecond * 1000).rounded())), 1000)
    }

    /// Whether both rates are the same for an encoder: they differ by at most a tenth.
    package func agrees(with other: Self) -> Bool { Self.agree(perSecond, other.perSecond) }
}

extension VideoFormat {
    /// The fastest announced rate that is accepted before the rate is measured. A faster one is usually the ticks of a
    /// clock.
    static let fastestAnnounced = 60.0
    /// The fastest frame rate of interlaced material. Its fields may arrive one by one.
    private static let fastestInterlaced = 33.0

    /// The same format with a reliable frame rate: the announced one if it agrees with the measured one, else the
    /// measured one.
    ///
    /// - Parameter measured: `nil` while the rate is not known.
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
