@testable import MPEGTS

extension FuzzTarget {
    /// Relays and encoders that start, overlap, jump in time and end, spliced into one feed with a fast and a slow
    /// reader.
    ///
    /// An input is a list of actions: a video frame, an audio frame or tables of a writer, well formed or with bytes of
    /// the input; a new writer; a cut; a read of the slow reader.
    static let splicer = FuzzTarget(
        name: "splicer",
        seeds: [
            [
                1, 0x80, 0, 0x00, 0, 0, 0, 9, 0, 5, 0x20, 1, 0, 0, 9, 0, 5, 0x40, 0, 0, 0, 9, 0, 9, 0x40, 0, 0, 0, 9, 0,
                13,
            ],
            [
                3, 0x00, 0, 0, 0, 9, 0, 0, 0x20, 0, 0, 0, 9, 0, 0, 0x80, 2, 0x00, 0, 0, 0, 9, 1, 0, 0xA0, 0x40, 0x00, 0,
                0, 9, 1, 5, 0x20, 0,
            ],
        ]
    ) { input in
        var play = SplicerPlay(FuzzInput(input))
        try play.run()
    }
}

private struct SplicerPlay: ~Copyable {
    private var input: FuzzInput
    private let feed: Feed
    /// The time of the feed's first video frame.
    private var first: Int64?
    private var splicer: Splicer
    private var parsers: [WriterLine] = []
    private let fast: CheckedReader
    private let slow: CheckedReader
    private var now: Int64 = 0

    /// One writer: its parser and its multiplexer.
    private final class WriterLine {
        var parser = UnitParser(capacity: 4096, largestUnit: 16 << 10)
        var writer: Splicer.Writer
        var counters: [UInt16: UInt8] = [:]

        init(_ join: Splicer.Join) { writer = Splicer.Writer(join) }

        func give(_ packets: [UInt8]) { _ = packets.withUnsafeBytes { parser.append($0) } }

        func count(_ pid: UInt16) -> UInt8 {
            defer { counters[pid] = (counters[pid] ?? 0) &+ 1 }
            return counters[pid] ?? 0
        }
    }

    init(_ input: FuzzInput) {
        self.input = input
        let flags = self.input.byte()
        feed = Feed(limits: Feed.Limits(duration: 2 * Ticks.perSecond, bytes: 512 << 10, maximumBytes: 1 << 20))
        splicer = Splicer(
            feed: feed, start: flags & 4 == 0 ? 900_000 : Ticks.wrap - 100_000, fillsSilence: flags & 1 == 1)
        fast = CheckedReader(feed.makeReader())
        slow = CheckedReader(feed.makeReader())
    }

    mutating func run() throws {
        var actions = 0
        add(.following)
        while !input.isAtEnd, actions < 400 {
            actions += 1
            let action = input.byte()
            switch action >> 5 {
            case 0: try unit(action, FeedLayout.videoPID, isKeyframe: true)
            case 1: try unit(action, FeedLayout.audioPID, isKeyframe: false)
            case 2: try unit(action, FeedLayout.videoPID, isKeyframe: false)
            case 3: try raw(action)
            case 4:
                let near = splicer.tail.videoDTS ?? 0
                let join =
                    action & 1 == 0 ? Splicer.Join.following : .resuming(near: near, needsKeyframe: action & 2 == 0)
                add(join, audioFormat: action & 4 == 0 ? nil : action & 8 == 0 ? .stereo48 : .stereo44)
            case 5:
                let line = parsers[Int(action & 3) % parsers.count]
                let end = splicer.tail.videoDTS ?? 0
                line.writer.setEnd(
                    action & 4 == 0
                        ? nil
                        : Splicer.Cut(
                            video: end + Int64(action & 0x18) * 1000, audio: end + Int64(action & 0x18) * 1000))
            case 6: try slow.read(most: Int(action & 0x1F) * 100)
            default: now += Int64(action & 0x1F) * 9_000
            }
        }
        try slow.read(most: .max)
        try demand(splicer.frames >= 0 && splicer.lostFrames >= 0, "\(splicer.lostFrames) frames are lost")
    }

    private mutating func add(_ join: Splicer.Join, audioFormat: AACFormat? = nil) {
        let line = WriterLine(join)
        line.writer.audioFormat = audioFormat
        line.give(WireSeeds.tables)
        parsers.append(line)
        if parsers.count > 4 { parsers.removeFirst() }
    }

    /// Writes a unit that is well formed, apart from changes by the input.
    private mutating func unit(_ action: UInt8, _ pid: UInt16, isKeyframe: Bool) throws {
        let line = parsers[Int(action & 3) % parsers.count]
        let pts = input.number(bytes: 5) & (Ticks.wrap - 1)
        let isVideo = pid == FeedLayout.videoPID
        var payload = isVideo ? (isKeyframe ? WireSeeds.keyframe : WireSeeds.frame) : ADTS.silence
        if action & 4 != 0 { payload = Array(input.take(Int(input.byte() % 150))) }
        var counter = line.count(pid)
        if action & 8 != 0 { counter = input.byte() }
        var packet = WireSeeds.pes(pid, payload, pts: pts, counter: counter, isKeyframe: isKeyframe)
        if action & 16 != 0 {
            let place = Int(input.byte())
            if place < packet.count { packet[place] = input.byte() }
        }
        line.give(packet)
        try pass(line)
    }

    private mutating func raw(_ action: UInt8) throws {
        let line = parsers[Int(action & 3) % parsers.count]
        line.give(Array(input.take(Int(input.byte()))))
        try pass(line)
    }

    private mutating func pass(_ line: WriterLine) throws {
        while let event = line.parser.next() {
            guard case .unit(let unit) = event else { continue }
            if unit.kind == .video { now += 3000 }
            let before = (splicer.tail.videoDTS, splicer.tail.audioEnd)
            _ = splicer.accept(unit, of: &line.writer, from: line.parser, now: now)
            if let new = splicer.tail.videoDTS {
                if let old = before.0 { try demand(new >= old, "the video goes back from \(old) to \(new)") }
                first = first ?? new
                // Encoders may continue hours later. On the wire, a step of more than half the range looks negative.
                // Audio may be some seconds before the first video frame, or ahead of the last one.
                if new - first! >= Ticks.wrap / 2 - 60 * Ticks.perSecond {
                    fast.hasLeapt = true
                    slow.hasLeapt = true
                }
            }
            try fast.read(most: .max)
        }
        try demand(feed.heldBytes <= (1 << 20) + 2 * Feed.segmentCapacity, "the feed holds \(feed.heldBytes) bytes")
        try demand(
            feed.entries.count <= feed.byteCount / Packet.size + 1,
            "\(feed.entries.count) entries for \(feed.byteCount) bytes")
    }
}

/// A reader that checks the bytes: whole packets with the feed's PIDs, counters without a gap, times that never go
/// back.
final class CheckedReader {
    private let reader: FeedReader
    private var rest: [UInt8] = []
    private var counters: [UInt16: UInt8] = [:]
    private var newest: [UInt16: Int64] = [:]
    /// The times went ahead so far that it cannot be distinguished from going back.
    var hasLeapt = false

    init(_ reader: FeedReader) { self.reader = reader }

    func read(most: Int) throws {
        var left = most
        while left > 0, let bytes = reader.next() {
            let count = min(bytes.count, left)
            try take(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            reader.consume(count)
            left -= count
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) throws {
        rest += bytes
        var start = 0
        while start + Packet.size <= rest.count {
            try packet(Array(rest[start..<start + Packet.size]))
            start += Packet.size
        }
        rest.removeFirst(start)
    }

    private func packet(_ bytes: [UInt8]) throws {
        try demand(bytes[0] == Packet.syncByte, "a packet in the feed begins with \(bytes[0])")
        let pid = UInt16(bytes[1] & 0x1F) << 8 | UInt16(bytes[2])
        let known = [0, FeedLayout.programMapPID, FeedLayout.videoPID, FeedLayout.audioPID]
        try demand(known.contains(pid), "PID \(pid) is in the feed")
        let hasPayload = bytes[3] & 0x10 != 0
        let isJump = bytes[3] & 0x20 != 0 && bytes[4] > 0 && bytes[5] & 0x80 != 0
        if isJump { counters[pid] = nil }
        if let last = counters[pid], hasPayload {
            try demand(
                bytes[3] & 0x0F == (last + 1) & 0x0F,
                "the counter of PID \(pid) went from \(last) to \(bytes[3] & 0x0F)")
        }
        counters[pid] = bytes[3] & 0x0F
        guard bytes[1] & 0x40 != 0, pid == FeedLayout.videoPID || pid == FeedLayout.audioPID, hasPayload else { return }
        let offset = bytes[3] & 0x20 != 0 ? 5 + Int(bytes[4]) : 4
        try demand(offset + 14 <= Packet.size, "a unit of PID \(pid) has no header in its first packet")
        let header = bytes.withUnsafeBufferPointer { PESHeader($0.baseAddress! + offset, count: Packet.size - offset) }
        guard let header, let dts = header.dts else { throw Finding("a unit of PID \(pid) has no time") }
        if let last = newest[pid], !hasLeapt {
            try demand(Ticks.extend(dts, near: last) > last, "the time of PID \(pid) goes from \(last) to \(dts)")
        }
        newest[pid] = dts
    }
}
