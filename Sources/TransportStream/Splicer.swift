/// Joins successive writers into one feed, on frame boundaries.
///
/// Whatever the writers use, the feed has one set of PIDs, counters without a break, and timestamps that never go
/// back. A writer takes the feed at a keyframe; from then on the units of every other writer are refused.
///
/// Times that a splicer takes as `now` are ticks of any clock that runs evenly and does not stop.
public struct Splicer: ~Copyable {
    /// How a writer joins what is in the feed.
    public enum Join: Sendable, Hashable {
        /// A new timeline: its first keyframe follows what is in the feed, as much later as it came later.
        case following
        /// The same timeline, given again by another process: what is in the feed already is dropped, and the first
        /// unit that is not goes on without a gap.
        ///
        /// - Parameters:
        ///   - reference: A time on the feed's timeline within 13 hours of the writer's first unit.
        ///   - needsKeyframe: The writer encodes anew, so only a keyframe can follow; false where it copies.
        case resuming(near: Int64, needsKeyframe: Bool)
    }

    /// What became of a unit.
    public enum Outcome: Sendable, Hashable {
        /// It is in the feed.
        case accepted
        /// It is in the feed, as the first of its writer.
        case joined
        /// It was in the feed already, or came before the place where its writer can begin.
        case dropped
    }

    /// The end of what is in the feed, per stream.
    public struct Tail: Sendable, Hashable {
        /// Presentation time of the last picture; decoding time where pictures are reordered is never later.
        public var videoPTS: Int64?
        public var videoDTS: Int64?
        /// Ticks from the picture before the last to the last.
        public var frameDuration: Int64 = 3000
        /// Presentation time behind the last sound.
        public var audioEnd: Int64?
    }

    public let feed: Feed
    public private(set) var tail = Tail()
    /// Pictures that went into the feed.
    public private(set) var frames = 0
    /// Pictures that are missing in the feed, by the frame duration, where a writer resumed.
    public private(set) var lostFrames = 0
    /// Frames of silence that stand in for missing sound.
    public private(set) var silentFrames = 0

    private var program: Program?
    private var version: UInt8 = 0
    private var continuity = Continuity()
    private var tablesDue: Int64 = .min
    private var lastVideoArrival: Int64?

    /// Ticks between program tables.
    private static let tableInterval = Ticks.perSecond / 4
    /// Ticks that the sound of a program may come behind its picture before silence stands in.
    private static let audioPatience = Ticks.perSecond
    /// A step back or ahead in a writer's time that is taken for a new timeline.
    private static let longestStep = 10 * Ticks.perSecond
    private static let longestStepBack = Ticks.perSecond / 2

    private let start: Int64
    private let fillsSilence: Bool

    /// - Parameters:
    ///   - start: Where the timeline begins.
    ///   - fillsSilence: Frames of silence stand in where a writer has no sound.
    public init(feed: Feed, start: Int64 = 10 * Ticks.perSecond, fillsSilence: Bool) {
        self.feed = feed
        self.start = start
        self.fillsSilence = fillsSilence
    }

    /// One writer's place on the feed's timeline.
    public struct Writer: Sendable {
        public let join: Join
        /// A keyframe of this writer is in the feed.
        public fileprivate(set) var isJoined = false
        fileprivate var offset: Int64
        fileprivate var latest: Int64?

        public init(_ join: Join) {
            self.join = join
            offset = 0
        }
    }

    /// Takes the unit that `parser` found last.
    public mutating func accept(
        _ unit: AccessUnit, of writer: inout Writer, from parser: borrowing UnitParser, now: Int64
    ) -> Outcome {
        guard let program = parser.program else { return .dropped }
        switch unit.kind {
        case .video: return acceptVideo(unit, of: &writer, from: parser, program: program, now: now)
        case .audio: return acceptAudio(unit, of: &writer, from: parser)
        }
    }

    // MARK: Video

    private mutating func acceptVideo(
        _ unit: AccessUnit, of writer: inout Writer, from parser: borrowing UnitParser, program: Program, now: Int64
    ) -> Outcome {
        let reorder = Ticks.extend(unit.pts, near: unit.dts) - unit.dts
        var raw = Ticks.extend(unit.dts, near: writer.latest ?? reference(of: writer, dts: unit.dts))
        var outcome = Outcome.accepted
        switch writer.join {
        case .following:
            if !writer.isJoined {
                guard unit.isKeyframe else { return .dropped }
                writer.offset = nextVideo(reorder: reorder, now: now) - raw
                outcome = .joined
            } else if let latest = writer.latest, raw - latest > Self.longestStep || raw - latest < -Self.longestStepBack {
                writer.offset = nextVideo(reorder: reorder, now: now) - raw
            }
        case .resuming(_, let needsKeyframe):
            if let tail = tail.videoDTS, raw <= tail {
                writer.latest = raw
                return .dropped
            }
            if !writer.isJoined {
                guard unit.isKeyframe || !needsKeyframe else { return .dropped }
                if let tail = tail.videoDTS { lostFrames += Int(max(0, (raw - tail + self.tail.frameDuration / 2) / self.tail.frameDuration - 1)) }
                outcome = .joined
            }
        }
        writer.latest = raw
        let dts = raw + writer.offset
        if let last = tail.videoDTS, dts <= last {
            return .dropped
        }
        writer.isJoined = true
        let pts = dts + reorder
        raw = dts

        use(Program(video: program.video, audio: fillsSilence ? .init(pid: 0, codec: .aac) : program.audio))
        if fillsSilence { fillSilence(until: program.audio == nil ? pts : pts - Self.audioPatience, from: pts) }
        write(unit, from: parser, pid: FeedLayout.videoPID, pts: pts, dts: dts)

        if let last = tail.videoDTS, dts - last <= Ticks.perSecond { tail.frameDuration = dts - last }
        tail.videoDTS = dts
        tail.videoPTS = max(pts, tail.videoPTS ?? pts)
        lastVideoArrival = now
        frames += 1
        return outcome
    }

    private func reference(of writer: Writer, dts: Int64) -> Int64 {
        switch writer.join {
        case .following: dts
        case .resuming(let reference, _): reference
        }
    }

    /// Where the next picture belongs when a new timeline begins with it.
    private func nextVideo(reorder: Int64, now: Int64) -> Int64 {
        guard let dts = tail.videoDTS, let pts = tail.videoPTS, let arrival = lastVideoArrival else { return start }
        return max(dts + max(tail.frameDuration, now - arrival), pts + tail.frameDuration - reorder)
    }

    // MARK: Audio

    private mutating func acceptAudio(_ unit: AccessUnit, of writer: inout Writer, from parser: borrowing UnitParser) -> Outcome {
        let near: Int64
        switch writer.join {
        case .following:
            guard writer.isJoined, let latest = writer.latest else { return .dropped }
            near = latest
        case .resuming(let reference, _):
            near = writer.latest ?? reference
        }
        let pts = Ticks.extend(unit.pts, near: near) + writer.offset
        if let picture = tail.videoDTS, abs(pts - picture) > Self.longestStep { return .dropped }
        if let end = tail.audioEnd, pts < end - unit.duration / 2 { return .dropped }
        if fillsSilence { fillSilence(until: pts, from: pts) }
        if program == nil { use(parser.program ?? Program(video: nil, audio: nil)) }
        write(unit, from: parser, pid: FeedLayout.audioPID, pts: pts, dts: pts)
        tail.audioEnd = pts + unit.duration
        return .accepted
    }

    /// Puts whole frames of silence where sound is missing before `limit`.
    ///
    /// - Parameter start: Where sound begins when there was none yet.
    private mutating func fillSilence(until limit: Int64, from start: Int64) {
        var next = tail.audioEnd ?? start
        while next + ADTS.silenceDuration <= limit {
            writeSilence(pts: next)
            next += ADTS.silenceDuration
            tail.audioEnd = next
            silentFrames += 1
        }
    }

    // MARK: Writing

    private mutating func use(_ next: Program) {
        guard program?.video?.codec != next.video?.codec || program?.audio?.codec != next.audio?.codec else { return }
        if program != nil {
            version = (version + 1) & 0x1F
            feed.beginEra()
        }
        program = next
        tablesDue = .min
    }

    private mutating func write(_ unit: AccessUnit, from parser: borrowing UnitParser, pid: UInt16, pts: Int64, dts: Int64) {
        let before = continuity
        let hasTables = unit.isKeyframe || dts >= tablesDue
        let tables = hasTables ? 2 * Packet.size : 0
        let bytes = feed.reserve(tables + unit.byteCount)
        if hasTables { writeTables(to: bytes, at: dts) }
        parser.copyUnit(to: bytes + tables)
        rewrite(bytes + tables, count: unit.byteCount, pid: pid, pts: pts, dts: dts, offset: dts - unit.dts)
        feed.commit(tables + unit.byteCount, pts: pts, dts: dts, entry: unit.isKeyframe ? before : nil)
    }

    private mutating func writeTables(to bytes: UnsafeMutablePointer<UInt8>, at dts: Int64) {
        guard let program else { return }
        PSI.write(program, version: version, patContinuity: continuity.association, pmtContinuity: continuity.map, to: bytes)
        continuity.association = (continuity.association + 1) & 0x0F
        continuity.map = (continuity.map + 1) & 0x0F
        tablesDue = dts + Self.tableInterval
    }

    private mutating func rewrite(
        _ bytes: UnsafeMutablePointer<UInt8>, count: Int, pid: UInt16, pts: Int64, dts: Int64, offset: Int64
    ) {
        var counter = pid == FeedLayout.videoPID ? continuity.video : continuity.audio
        var position = 0
        var payload = 0
        while position < count {
            let packet = Packet(bytes + position)
            payload += Packet.size - packet.payloadOffset
            packet.pid = pid
            packet.setContinuity(counter)
            packet.clearDiscontinuity()
            packet.shiftClock(by: offset)
            counter = (counter + 1) & 0x0F
            position += Packet.size
        }
        if pid == FeedLayout.videoPID { continuity.video = counter } else { continuity.audio = counter }
        let header = bytes + Packet(bytes).payloadOffset
        PESHeader.restamp(header, pts: pts, dts: dts)
        PESHeader.declareLength(header, payload - PESHeader.prefixSize)
    }

    private mutating func writeSilence(pts: Int64) {
        let packet = feed.reserve(Packet.size)
        let frame = ADTS.silence
        let headerSize = 14
        let stuffing = Packet.size - 4 - headerSize - frame.count
        packet[0] = Packet.syncByte
        packet[1] = 0x40 | UInt8(FeedLayout.audioPID >> 8)
        packet[2] = UInt8(truncatingIfNeeded: FeedLayout.audioPID)
        packet[3] = 0x30 | continuity.audio
        packet[4] = UInt8(stuffing - 1)
        packet[5] = 0
        for index in 6..<4 + stuffing { packet[index] = 0xFF }
        let pes = packet + 4 + stuffing
        let length = headerSize - 6 + frame.count
        let header: [UInt8] = [0, 0, 1, 0xC0, UInt8(length >> 8), UInt8(length & 0xFF), 0x80, 0x80, 5]
        for (index, byte) in header.enumerated() { pes[index] = byte }
        PESHeader.writeTimestamp(pts, marker: 0b0010, to: pes + 9)
        for (index, byte) in frame.enumerated() { pes[headerSize + index] = byte }
        continuity.audio = (continuity.audio + 1) & 0x0F
        feed.commit(Packet.size, pts: pts, dts: pts, entry: nil)
    }
}
