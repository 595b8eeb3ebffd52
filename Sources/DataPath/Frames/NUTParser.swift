/// Finds the frames in a NUT stream with one video stream, as FFmpeg writes raw video to a pipe.
///
/// It reads the headers around the frames. The caller reads the bytes of the frames. See
/// ffmpeg.org/~michael/nut.txt.
struct NUTParser {
    /// The reason for a stream that cannot be read.
    struct Violation: Error, Sendable {
        var problem: String
    }

    /// The header of a frame, whose bytes follow in the stream.
    struct FrameHeader {
        /// In ticks.
        var time: Int64
        var byteCount: Int
    }

    /// Width of the frames; 0 before the stream header.
    private(set) var width = 0
    /// Height of the frames; 0 before the stream header.
    private(set) var height = 0

    private var hasBegun = false
    private var timeBases: [(numerator: UInt64, denominator: UInt64)] = []
    private var codes: [Code] = []
    private var stream: Stream?

    /// The meaning of a frame's first byte.
    private struct Code {
        var flags: UInt64
        var timeStep: Int64
        var stream: UInt64
        var sizeFactor: UInt64
        var size: UInt64
        var reserved: UInt64
    }

    private struct Stream {
        var base: Int
        var shift: UInt64
        var latest: Int64 = 0
    }

    private enum Flag {
        static let codedTime: UInt64 = 8, stream: UInt64 = 16, size: UInt64 = 32, checksum: UInt64 = 64,
            reserved: UInt64 = 128
        static let elision: UInt64 = 1024, matchTime: UInt64 = 2048, coded: UInt64 = 4096, invalid: UInt64 = 8192
    }

    private static let identification = Array("nut/multimedia container\0".utf8)
    /// The first byte of a packet that is not a frame.
    private static let packet = UInt8(ascii: "N")
    private static let mainHeader: UInt64 = 0x4E4D_7A56_1F5F_04AD, streamHeader: UInt64 = 0x4E53_1140_5BF2_F9DB
    private static let syncpoint: UInt64 = 0x4E4B_E4AD_EECA_4569
    /// FFmpeg writes no longer headers.
    private static let longestPacket: UInt64 = 32 << 10
    private static let mostCodes = 256

    /// Reads the next packet or frame header.
    ///
    /// - Returns: How many bytes were used, and the header of the frame that follows them; 0 when more bytes are
    ///   needed.
    mutating func next(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> (used: Int, frame: FrameHeader?) {
        guard hasBegun else {
            guard bytes.count >= Self.identification.count else { return (0, nil) }
            guard bytes.prefix(Self.identification.count).elementsEqual(Self.identification) else {
                throw Violation(problem: "it is not NUT")
            }
            hasBegun = true
            return (Self.identification.count, nil)
        }
        guard let first = bytes.first else { return (0, nil) }
        var cursor = Cursor(bytes)
        if first == Self.packet { return (try packet(&cursor), nil) }
        guard let header = try frame(&cursor) else { return (0, nil) }
        return (cursor.position, header)
    }

    // MARK: Packets

    private mutating func packet(_ cursor: inout Cursor) throws(Violation) -> Int {
        guard let start = cursor.number(bytes: 8), let size = cursor.number() else { return 0 }
        guard size <= Self.longestPacket else { throw Violation(problem: "a header has \(size) bytes") }
        if size > 4096, cursor.number(bytes: 4) == nil { return 0 }
        let end = cursor.position + Int(size)
        guard end <= cursor.bytes.count else { return 0 }
        var body = Cursor(UnsafeRawBufferPointer(rebasing: cursor.bytes[cursor.position..<end]))
        switch start {
        case Self.mainHeader: try readMain(&body)
        case Self.streamHeader: try readStream(&body)
        case Self.syncpoint: try readSyncpoint(&body)
        default: break
        }
        return end
    }

    private mutating func readMain(_ body: inout Cursor) throws(Violation) {
        // Version, number of streams, maximum distance, number of time bases.
        guard let version = body.number(), version == 3, let streams = body.number(), body.number() != nil,
            let count = body.number()
        else {
            throw Violation(problem: "its version of NUT is unknown")
        }
        guard streams == 1, count <= 16 else { throw Violation(problem: "it has \(streams) streams") }
        timeBases = []
        for _ in 0..<count {
            guard let numerator = body.number(), let denominator = body.number(), numerator > 0, denominator > 0,
                numerator < 1 << 31, denominator < 1 << 31
            else { throw Violation(problem: "a time base is invalid") }
            timeBases.append((numerator, denominator))
        }
        codes = []
        var (step, factor, stream): (Int64, UInt64, UInt64) = (0, 1, 0)
        while codes.count < Self.mostCodes {
            guard let flags = body.number(), var fields = body.number() else {
                throw Violation(problem: "its table of frame codes is invalid")
            }
            if fields > 0 { step = body.signed() ?? 0 }
            if fields > 1 { factor = body.number() ?? 0 }
            if fields > 2 { stream = body.number() ?? 0 }
            let size = fields > 3 ? body.number() ?? 0 : 0
            let reserved = fields > 4 ? body.number() ?? 0 : 0
            let run = fields > 5 ? body.number() ?? 0 : factor &- size
            if fields > 6 { _ = body.signed() }
            if fields > 7 { _ = body.number() }
            while fields > 8 {
                guard body.number() != nil else { throw Violation(problem: "its table of frame codes is invalid") }
                fields -= 1
            }
            guard run > 0, run <= UInt64(Self.mostCodes) else {
                throw Violation(problem: "its table of frame codes is invalid")
            }
            var index: UInt64 = 0
            while index < run, codes.count < Self.mostCodes {
                let isPacket = codes.count == Int(Self.packet)
                codes.append(
                    Code(
                        flags: isPacket ? Flag.invalid : flags, timeStep: step, stream: stream, sizeFactor: factor,
                        size: size &+ index, reserved: reserved))
                if !isPacket { index += 1 }
            }
        }
    }

    private mutating func readStream(_ body: inout Cursor) throws(Violation) {
        // Number, class, codec, time base, shift, distance, delay, flags, codec-specific data, width, height.
        guard body.number() == 0, body.number() == 0, let letters = body.number(), body.skip(letters),
            let base = body.number(), let shift = body.number(),
            body.number() != nil, body.number() != nil, body.number() != nil, let specific = body.number(),
            body.skip(specific), let width = body.number(),
            let height = body.number(), base < UInt64(timeBases.count), shift < 16, width > 0, height > 0,
            width < 1 << 16, height < 1 << 16
        else { throw Violation(problem: "its stream is not video") }
        (self.width, self.height) = (Int(width), Int(height))
        // The header is repeated, with the same contents.
        if stream == nil { stream = Stream(base: Int(base), shift: shift) }
    }

    private mutating func readSyncpoint(_ body: inout Cursor) throws(Violation) {
        guard let time = body.number(), let base = stream?.base else {
            throw Violation(problem: "a syncpoint is invalid")
        }
        let count = UInt64(timeBases.count)
        guard time % count == UInt64(base) else { throw Violation(problem: "a syncpoint has another time base") }
        stream?.latest = Int64(bitPattern: time / count)
    }

    // MARK: Frames

    private mutating func frame(_ cursor: inout Cursor) throws(Violation) -> FrameHeader? {
        guard codes.count == Self.mostCodes, var stream, let first = cursor.number(bytes: 1) else {
            throw Violation(problem: "a frame comes before the headers")
        }
        let code = codes[Int(first)]
        var flags = code.flags
        guard flags & Flag.invalid == 0 else { throw Violation(problem: "a frame has an invalid code") }
        if flags & Flag.coded != 0 {
            guard let changed = cursor.number() else { return nil }
            flags ^= changed
        }
        var number = code.stream
        if flags & Flag.stream != 0 {
            guard let coded = cursor.number() else { return nil }
            number = coded
        }
        guard number == 0 else { throw Violation(problem: "a frame belongs to another stream") }
        if flags & Flag.codedTime != 0 {
            guard let coded = cursor.number() else { return nil }
            stream.latest = Self.time(coded, after: stream)
        } else {
            stream.latest &+= code.timeStep
        }
        var size = code.size
        if flags & Flag.size != 0 {
            guard let high = cursor.number(), high < 1 << 32 else {
                return cursor.isExhausted ? nil : try refuse("a frame's size is invalid")
            }
            size &+= code.sizeFactor &* high
        }
        if flags & Flag.matchTime != 0, cursor.number() == nil { return nil }
        var reserved = code.reserved
        if flags & Flag.elision != 0 {
            guard let header = cursor.number() else { return nil }
            guard header == 0 || size > 4096 else { throw Violation(problem: "a frame lacks its beginning") }
        }
        if flags & Flag.reserved != 0 {
            guard let count = cursor.number() else { return nil }
            reserved = count
        }
        guard reserved < 256 else { throw Violation(problem: "a frame's header is invalid") }
        for _ in 0..<reserved where cursor.number() == nil { return nil }
        if flags & Flag.checksum != 0, cursor.number(bytes: 4) == nil { return nil }
        guard size < 1 << 31 else { throw Violation(problem: "a frame has \(size) bytes") }
        self.stream = stream
        let base = timeBases[stream.base]
        guard stream.latest >= 0 else { throw Violation(problem: "a frame's time is negative") }
        let product = UInt64(stream.latest).multipliedFullWidth(by: 90_000 * base.numerator)
        guard product.high < base.denominator,
            let time = Int64(exactly: base.denominator.dividingFullWidth(product).quotient)
        else {
            throw Violation(problem: "a frame's time is invalid")
        }
        return FrameHeader(time: time, byteCount: Int(size))
    }

    private func refuse(_ problem: String) throws(Violation) -> FrameHeader? { throw Violation(problem: problem) }

    /// Decodes a time. A small number holds the lowest bits of the nearest time; a larger number is the time itself,
    /// plus the span.
    private static func time(_ coded: UInt64, after stream: Stream) -> Int64 {
        let span = Int64(1) << Int64(stream.shift)
        let coded = Int64(bitPattern: coded)
        guard coded < span else { return coded &- span }
        let mask = span - 1
        let lowest = stream.latest &- mask / 2
        return ((coded &- lowest) & mask) &+ lowest
    }

    /// Reads the numbers of NUT.
    private struct Cursor {
        let bytes: UnsafeRawBufferPointer
        private(set) var position = 0

        init(_ bytes: UnsafeRawBufferPointer) {
            self.bytes = bytes
        }

        var isExhausted: Bool { position >= bytes.count }

        /// Reads a number of variable length; `nil` when bytes are missing, or when it is too long for a number.
        mutating func number() -> UInt64? {
            var value: UInt64 = 0
            for index in position..<min(bytes.count, position + 10) {
                value = value << 7 | UInt64(bytes[index] & 0x7F)
                guard bytes[index] & 0x80 != 0 else {
                    position = index + 1
                    return value
                }
            }
            // None of the bytes ends the number. With fewer than ten, more may come.
            position = min(bytes.count, position + 10)
            return nil
        }

        mutating func signed() -> Int64? {
            guard let value = number() else { return nil }
            let next = value &+ 1
            return next & 1 != 0 ? -Int64(bitPattern: next >> 1) : Int64(bitPattern: next >> 1)
        }

        mutating func number(bytes count: Int) -> UInt64? {
            guard position + count <= bytes.count else { return nil }
            defer { position += count }
            return bytes[position..<position + count].reduce(0) { $0 << 8 | UInt64($1) }
        }

        mutating func skip(_ count: UInt64) -> Bool {
            guard count <= UInt64(bytes.count - position) else { return false }
            position += Int(count)
            return true
        }
    }
}
