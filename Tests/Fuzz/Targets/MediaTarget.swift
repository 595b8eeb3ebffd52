import MediaTypes

@testable import MPEGTS
@testable import RTMP

extension FuzzTarget {
    /// A publisher's audio and video messages, through the reader and a splicer into a feed.
    ///
    /// An input is a list of actions: a well-formed message, a message with bytes of the input, a header, a step of the
    /// timestamps, a step of the clock.
    static let rtmpMedia = FuzzTarget(
        name: "rtmp-media",
        seeds: [
            // Headers, a keyframe, audio, two frames, another size, a jump.
            [
                0, 0x40, 0x43, 0x01, 20, 0x20, 9, 0x00, 30, 0x00, 9, 0x41, 0x01, 20, 0xC0, 0, 0x98, 0x96, 0x80, 0x00, 9,
                0x20, 9, 0x01, 9,
            ],
            // HEVC, HE-AAC, and a pause.
            [1, 0x42, 0x45, 0x03, 20, 0x20, 9, 0xFF, 0xC5, 0x02, 9, 0x20, 9],
            // A header from the input, wrong lengths, raw messages.
            [
                0, 0x47, 18, 0x17, 0, 0, 0, 0, 1, 66, 0, 30, 0xFC, 0xE1, 0, 2, 0x67, 1, 1, 0, 1, 0x68, 0xA1, 8, 0, 0, 0,
                2, 0x65, 0x88, 0, 9,
            ]
                + [0x60, 6, 0x17, 1, 0, 0, 0, 0, 0x80, 4, 0xAF, 0, 0x11, 0x90, 0x80, 3, 0x2F, 1, 2],
        ],
        words: ["hvc1", "avc1", "av01", "mp4a", "Opus", "fLaC", "\u{0}\u{0}\u{0}\u{1}"]
    ) { input in
        var play = MediaPlay(FuzzInput(input))
        try play.run()
    }
}

private struct MediaPlay: ~Copyable {
    private var input: FuzzInput
    private var reader = MediaReader(largestUnit: 32 << 10)
    private var track = ForeignTrack()
    private let feed = Feed(limits: Feed.Limits(duration: 2 * Ticks.perSecond, bytes: 512 << 10, maximumBytes: 1 << 20))
    private var splicer: Splicer
    private var writer = Splicer.Writer(.following)
    private let checked: CheckedReader
    private var newest: [StreamKind: Int64] = [:]
    private var now: Int64 = 0
    private var timestamp: UInt32 = 0

    init(_ input: FuzzInput) {
        self.input = input
        let flags = self.input.byte()
        splicer = Splicer(
            feed: feed, start: flags & 2 == 0 ? 900_000 : Ticks.wrap - 100_000, fillsSilence: flags & 1 == 0)
        checked = CheckedReader(feed.makeReader())
        if flags & 4 != 0 { reader.requiredAudioFormat = flags & 8 == 0 ? .stereo48 : .stereo44 }
        writer.audioFormat = reader.requiredAudioFormat
    }

    mutating func run() throws {
        var actions = 0
        while !input.isAtEnd, actions < 400 {
            actions += 1
            let action = input.byte()
            let choice = action & 0x1F
            switch action >> 5 {
            case 0: try send(.video, frame(choice))
            case 1: try send(.audio, [0xAF, 1] + [UInt8](repeating: 0x21, count: Int(input.byte())))
            case 2: try header(choice)
            case 3: try send(.video, Array(input.take(Int(input.byte()))))
            case 4: try send(.audio, Array(input.take(Int(input.byte()))))
            case 5: try send(.video, [choice & 1 == 0 ? 0x27 : 0x17, 1, 0, 0, 0] + input.take(Int(input.byte())))
            case 6:
                timestamp =
                    choice == 0 ? UInt32(truncatingIfNeeded: input.number(bytes: 4)) : timestamp &+ UInt32(choice) * 13
            default: now += Int64(choice) * 9_000
            }
        }
        for fault in MediaFault.allCases { try demand(reader.faults[fault] >= 0, "the number of a fault is negative") }
    }

    private mutating func frame(_ choice: UInt8) -> [UInt8] {
        let filler = [UInt8](repeating: 0x5A, count: Int(input.byte()) * (choice & 16 == 0 ? 1 : 200))
        let isKey = choice & 1 == 1
        let isHEVC = choice & 2 == 2
        let head: [UInt8] = isHEVC ? [isKey ? 0x26 : 0x02, 0x01, 0x80] : [isKey ? 0x65 : 0x41, isKey ? 0x88 : 0x9A]
        let nal = head + filler
        let length = (0..<4).map { UInt8(truncatingIfNeeded: nal.count >> (24 - 8 * $0)) }
        let composition: UInt8 = choice & 4 == 0 ? 0 : 80
        return [(isKey ? 0x10 : 0x20) | (isHEVC ? 12 : 7), 1, 0, 0, composition] + length + nal
    }

    /// A frame with any composition time.
    private mutating func wideFrame() -> [UInt8] {
        let composition = (0..<3).map { _ in input.byte() }
        return [0x27, 1] + composition + [0, 0, 0, 4, 0x41, 0x9A, 0x5A, 0x5A]
    }

    private func announce(_ bytes: [UInt8]) throws {
        guard let metadata = bytes.withUnsafeBytes({ MediaMetadata($0) }) else { return }
        let text = metadata.description
        try demand(text.unicodeScalars.allSatisfy { $0 == "µ" || (" "..."~").contains($0) }, "metadata says \(text)")
    }

    private mutating func header(_ choice: UInt8) throws {
        switch choice {
        case 0: try send(.video, MediaSeeds.avcHeader(MediaSeeds.small))
        case 1: try send(.video, MediaSeeds.avcHeader(MediaSeeds.large))
        case 2: try send(.video, MediaSeeds.hevcHeader)
        case 3: try send(.audio, [0xAF, 0, 0x11, 0x90])
        case 4: try send(.audio, [0xAF, 0, 0x12, 0x08])
        case 5: try send(.audio, [0xAF, 0, 0x2B, 0x11, 0x88, 0])
        case 6: try send(.audio, [0xAF, 0] + input.take(Int(input.byte())))
        case 8: timestamp &-= UInt32(input.byte()) * 20
        case 9: try send(.video, wideFrame())
        case 10: try announce(Array(input.take(Int(input.byte()))))
        default: try send(.video, Array(input.take(Int(input.byte()))))
        }
    }

    private mutating func send(_ kind: StreamKind, _ message: [UInt8]) throws {
        timestamp &+= 20
        now += 900
        let header = MessageHeader(
            type: kind == .video ? MessageType.video : MessageType.audio, timestamp: timestamp, streamID: 1)
        try message.withUnsafeBytes { bytes in
            switch reader.take(header, bytes, now: now) {
            case .nothing: break
            case .unit(let unit, _): try pass(unit, kind, bytes)
            case .foreignAudio(let audio):
                try demand(audio.body.upperBound <= bytes.count, "audio is after the end of its message")
                try inspect("\(audio.coding)")
                _ = track.take(audio, in: bytes, aac: reader.audioFormat)
                let size = FLV.withTag(of: audio, in: bytes, timestamp: timestamp) { $0.count + $1.count + $2.count }
                try demand(size > audio.body.count + 15 && size <= bytes.count + 16, "a tag has \(size) bytes")
            case .foreignVideo(let coding): try inspect("\(coding)")
            }
        }
        try demand(feed.heldBytes <= (1 << 20) + 2 * Feed.segmentCapacity, "the feed holds \(feed.heldBytes) bytes")
    }

    private mutating func pass(_ unit: AccessUnit, _ kind: StreamKind, _ bytes: UnsafeRawBufferPointer) throws {
        try demand(unit.kind == kind && unit.byteCount % Packet.size == 0, "\(unit)")
        try demand(unit.byteCount <= 48 << 10, "\(bytes.count) bytes become \(unit.byteCount)")
        let dts = Ticks.extend(unit.dts, near: newest[kind] ?? unit.dts)
        if let last = newest[kind] { try demand(dts > last, "\(kind) goes from \(last) to \(dts)") }
        newest[kind] = dts
        let pts = Ticks.extend(unit.pts, near: dts)
        try demand(pts >= dts, "a frame is shown before it is decoded")
        // A splicer drops frames that are decoded earlier.
        try demand(pts - dts <= 10 * Ticks.perSecond, "a frame is decoded \(pts - dts) ticks before it is shown")
        let source = reader.unit(in: bytes)
        let payload = payload(of: unit, source)
        let required = reader.requiredAudioFormat
        try payload.withUnsafeBufferPointer { payload in
            switch kind {
            case .audio:
                let frame = ADTS.read(payload)
                try demand(frame?.duration == unit.duration, "audio is not ADTS")
                try demand(frame?.format?.sampleRate == unit.audioFormat?.sampleRate, "audio has another rate")
                try demand(
                    required == nil || unit.audioFormat == required,
                    "\(unit) is accepted, but not in the required format")
            case .video:
                guard let codec = source.program?.video?.type.videoCodec else {
                    throw Finding("a frame without a program")
                }
                try demand(
                    payload.starts(with: [0, 0, 0, 1, codec == .hevc ? 0x46 : 0x09]), "a frame without a delimiter")
                // The publisher's NAL units may contain start codes, and are then parsed as others.
                guard unit.isKeyframe else { return }
                let scan = AccessUnitScan(payload, codec: codec, randomAccess: true)
                try demand(scan.parameterSet != nil, "a keyframe without a parameter set")
            }
        }
        _ = splicer.accept(unit, of: &writer, from: source, now: now)
        try checked.read(most: .max)
    }

    private func payload(of unit: AccessUnit, _ source: MediaUnit) -> [UInt8] {
        let packets = [UInt8](unsafeUninitializedCapacity: unit.byteCount) { buffer, count in
            source.copyUnit(to: buffer.baseAddress!)
            count = unit.byteCount
        }
        var payload: [UInt8] = []
        for start in stride(from: 0, to: packets.count, by: Packet.size) {
            payload +=
                packets[
                    start + (packets[start + 3] & 0x20 == 0 ? 4 : 5 + Int(packets[start + 4]))..<start + Packet.size]
        }
        return Array(payload.dropFirst(9 + Int(payload[8])))
    }

    /// A text may contain a client's bytes only as four printable characters.
    private func inspect(_ text: String) throws {
        try demand(
            text.utf8.count <= 64 && text.unicodeScalars.allSatisfy { $0 == "µ" || (" "..."~").contains($0) }, text)
    }
}

/// Headers of a publisher's encoder.
enum MediaSeeds {
    /// Sequence parameter sets: 640x368, 1280x720.
    static let small: [UInt8] = [0x67, 0x42, 0xC0, 0x1E, 0xDA, 0x02, 0x80, 0xBE, 0x40]
    static let large: [UInt8] = [0x67, 0x42, 0xC0, 0x1E, 0xDA, 0x01, 0x40, 0x16, 0xE4]
    static let pictureSet: [UInt8] = [0x68, 0xC5, 0x60]

    static func avcHeader(_ set: [UInt8]) -> [UInt8] {
        [0x17, 0, 0, 0, 0, 1, 66, 0xC0, 30, 0xFF, 0xE1, 0, UInt8(set.count)] + set + [1, 0, UInt8(pictureSet.count)]
            + pictureSet
    }

    static let hevcHeader: [UInt8] = {
        let sets: [[UInt8]] = [
            [0x40, 0x01, 0x0C, 0x01, 0xFF, 0xFF],
            [
                0x42, 0x01, 0x01, 0x01, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x5D, 0xA0, 0x05,
                0x02, 0x01,
                0x69, 0x15, 0x40,
            ],
            [0x44, 0x01, 0xC1, 0x72],
        ]
        let head: [UInt8] = [0x1C, 0, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 20) + [0xFF, 3]
        return sets.reduce(into: head) { $0 += [0x80 | $1[0] >> 1, 0, 1, 0, UInt8($1.count)] + $1 }
    }()
}
