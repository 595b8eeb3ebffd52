/// Writes units and program tables into a feed, with the feed's PIDs and counters and the given timestamps.
struct FeedWriter {
    let feed: Feed
    private(set) var program: Program?
    private var version: UInt8 = 0
    private var continuity = Continuity()
    private var tablesDue: Int64 = .min
    /// The last clock reference of each stream.
    private var videoClock: Int64 = .min
    private var audioClock: Int64 = .min
    /// The number of bytes of the elementary streams that were written, without packet and PES headers.
    private(set) var mediaBytes = 0

    /// Ticks between program tables.
    private static let tableInterval = Ticks.perSecond / 4

    init(feed: Feed) {
        self.feed = feed
    }

    /// Sets the program from now on. If its codecs differ from those before, a new era begins.
    ///
    /// - Returns: Whether a new era begins.
    @discardableResult
    mutating func use(_ next: Program) -> Bool {
        let isSame = program?.video?.type == next.video?.type && program?.audio?.type == next.audio?.type
        guard !isSame else { return false }
        defer { program = next }
        guard program != nil else { return false }
        beginEra()
        return true
    }

    /// Begins an era. The next video unit has to be a keyframe, at which new readers can begin.
    mutating func beginEra() {
        version = (version + 1) & 0x1F
        feed.beginEra()
        tablesDue = .min
    }

    /// Writes a unit. The tables are written before each keyframe and when they are due.
    mutating func write(
        _ unit: AccessUnit, from source: borrowing some UnitSource & ~Copyable, pts: Int64, dts: Int64
    ) {
        let before = continuity
        let hasTables = unit.isKeyframe || dts >= tablesDue
        let tables = hasTables ? 2 * Packet.size : 0
        let bytes = feed.reserve(tables + unit.byteCount)
        if hasTables { writeTables(to: bytes, at: dts) }
        source.copyUnit(to: bytes + tables)
        let offset = dts - unit.dts
        switch unit.kind {
        case .video:
            mediaBytes += rewrite(
                bytes + tables, count: unit.byteCount, pid: FeedLayout.videoPID, counter: &continuity.video,
                clock: &videoClock, pts: pts,
                dts: dts, offset: offset)
        case .audio:
            mediaBytes += rewrite(
                bytes + tables, count: unit.byteCount, pid: FeedLayout.audioPID, counter: &continuity.audio,
                clock: &audioClock, pts: pts,
                dts: dts, offset: offset)
        }
        feed.commit(
            tables + unit.byteCount, pts: pts, dts: dts, isVideo: unit.kind == .video,
            entry: unit.isKeyframe ? before : nil)
    }

    private mutating func writeTables(to bytes: UnsafeMutablePointer<UInt8>, at dts: Int64) {
        guard let program else { preconditionFailure("no program is in use") }
        PSI.write(
            program, version: version, patContinuity: continuity.association, pmtContinuity: continuity.map, to: bytes)
        continuity.association = (continuity.association + 1) & 0x0F
        continuity.map = (continuity.map + 1) & 0x0F
        tablesDue = dts + Self.tableInterval
    }

    /// Sets PID, counters and timestamps of a unit's packets.
    ///
    /// - Returns: The size of the elementary stream data in bytes.
    private func rewrite(
        _ bytes: UnsafeMutablePointer<UInt8>, count: Int, pid: UInt16, counter: inout UInt8, clock: inout Int64,
        pts: Int64, dts: Int64,
        offset: Int64
    ) -> Int {
        var next = counter
        var position = 0
        var payload = 0
        while position < count {
            let packet = Packet(bytes + position)
            payload += Packet.size - packet.payloadOffset
            packet.pid = pid
            packet.setContinuity(next)
            if packet.hasAdaptation {
                packet.clearDiscontinuity()
                packet.moveClock(by: offset, for: dts, after: &clock)
            }
            next = (next + 1) & 0x0F
            position += Packet.size
        }
        counter = next
        let header = bytes + Packet(bytes).payloadOffset
        PESHeader.restamp(header, pts: pts, dts: dts)
        PESHeader.declareLength(header, payload - PESHeader.prefixSize)
        return payload - PESHeader.size(header)
    }

    /// Writes one frame of silence.
    ///
    /// - Parameter frame: A frame with its ADTS header that fits into one packet.
    mutating func writeSilence(_ frame: [UInt8], pts: Int64) {
        let hasTables = pts >= tablesDue
        let tables = hasTables ? 2 * Packet.size : 0
        let bytes = feed.reserve(tables + Packet.size)
        if hasTables { writeTables(to: bytes, at: pts) }
        let packet = bytes + tables
        let headerSize = 14
        let stuffing = Packet.size - 4 - headerSize - frame.count
        packet.update(repeating: 0xFF, count: 4 + stuffing)
        packet[0] = Packet.syncByte
        packet[1] = 0x40 | UInt8(FeedLayout.audioPID >> 8)
        packet[2] = UInt8(truncatingIfNeeded: FeedLayout.audioPID)
        packet[3] = 0x30 | continuity.audio
        packet[4] = UInt8(stuffing - 1)
        packet[5] = 0
        let pes = packet + 4 + stuffing
        pes.update(repeating: 0, count: headerSize)
        pes[2] = 1
        pes[3] = 0xC0
        pes[5] = UInt8(headerSize - PESHeader.prefixSize + frame.count)
        pes[6] = 0x80
        pes[7] = 0x80
        pes[8] = 5
        PESHeader.writeTimestamp(pts, marker: 0b0010, to: pes + 9)
        for index in frame.indices { pes[headerSize + index] = frame[index] }
        continuity.audio = (continuity.audio + 1) & 0x0F
        mediaBytes += frame.count
        feed.commit(tables + Packet.size, pts: pts, dts: pts, isVideo: false, entry: nil)
    }
}
