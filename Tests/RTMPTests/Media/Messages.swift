import MPEGTS

@testable import RTMP

/// A media message as a publisher sends it.
struct Message: Hashable {
    var header: MessageHeader
    var bytes: [UInt8]

    init(_ kind: StreamKind, _ time: Int, _ bytes: [UInt8]) {
        let type = kind == .video ? MessageType.video : MessageType.audio
        header = MessageHeader(type: type, timestamp: UInt32(truncatingIfNeeded: time), streamID: 1)
        self.bytes = bytes
    }
}

/// Bodies of messages and their parts.
enum Media {
    // MARK: H.264

    /// A sequence parameter set.
    ///
    /// - Parameter reorder: Makes a different set with the same frame size.
    static func sps(width: Int = 640, height: Int = 368, id: Int = 0, references: Int = 1) -> [UInt8] {
        var bits = BitWriter()
        bits.write(0x67, 8)
        bits.write(66, 8)
        bits.write(0xC0, 8)
        bits.write(30, 8)
        bits.writeGolomb(id)
        bits.writeGolomb(0)
        bits.writeGolomb(2)
        bits.writeGolomb(references)
        bits.write(0, 1)
        bits.writeGolomb(width / 16 - 1)
        bits.writeGolomb(height / 16 - 1)
        bits.write(1, 1)
        bits.write(1, 1)
        bits.write(0, 1)
        bits.write(0, 1)
        return bits.nal
    }

    /// A picture parameter set, up to its identifiers.
    static func pps(id: Int = 0, of sequence: Int = 0, filler: Int = 0x15) -> [UInt8] {
        var bits = BitWriter()
        bits.write(0x68, 8)
        bits.writeGolomb(id)
        bits.writeGolomb(sequence)
        bits.write(filler, 8)
        return bits.nal
    }

    /// `AVCDecoderConfigurationRecord`.
    static func avcRecord(_ sps: [[UInt8]] = [sps()], _ pps: [[UInt8]] = [pps()], lengthSize: Int = 4) -> [UInt8] {
        var record: [UInt8] = [1, 66, 0xC0, 30, 0xFC | UInt8(lengthSize - 1), 0xE0 | UInt8(sps.count)]
        for set in sps { record += number(set.count, 2) + set }
        record.append(UInt8(pps.count))
        for set in pps { record += number(set.count, 2) + set }
        return record
    }

    static func avcHeader(_ record: [UInt8] = avcRecord()) -> [UInt8] { [0x17, 0, 0, 0, 0] + record }

    /// A slice with content made from a number.
    static func slice(_ value: Int = 1, isIDR: Bool = false, isIntra: Bool = false, size: Int = 40) -> [UInt8] {
        [isIDR ? 0x65 : 0x41, isIDR || isIntra ? 0x88 : 0x9A] + filler(value, size)
    }

    /// Bytes without a start code.
    private static func filler(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<4).map { 0x80 | UInt8(value >> (7 * $0) & 0x7F) } + [UInt8](repeating: 0x5A, count: max(0, size - 4))
    }

    static func avc(
        _ nals: [[UInt8]], isKeyframe: Bool = false, composition: Int = 0, lengthSize: Int = 4, codec: UInt8 = 7
    ) -> [UInt8] {
        [(isKeyframe ? 0x10 : 0x20) | codec, 1] + number(composition, 3) + units(nals, lengthSize)
    }

    static func units(_ nals: [[UInt8]], _ lengthSize: Int = 4) -> [UInt8] {
        nals.flatMap { number($0.count, lengthSize) + $0 }
    }

    static func number(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * (size - 1 - $0))) }
    }

    static func annexB(_ nals: [[UInt8]]) -> [UInt8] { nals.flatMap { [0, 0, 0, 1] + $0 } }

    static let delimiter: [UInt8] = [0x09, 0xF0]

    // MARK: HEVC

    static let vps: [UInt8] = [0x40, 0x01, 0x0C, 0x01, 0xFF, 0xFF]
    static let hevcPPS: [UInt8] = [0x44, 0x01, 0xC1, 0x72]
    static let hevcDelimiter: [UInt8] = [0x46, 0x01, 0x50]

    static func hevcSPS(width: Int = 640, height: Int = 360) -> [UInt8] {
        var bits = BitWriter()
        bits.write(0x4201, 16)
        bits.write(0, 4)
        bits.write(0, 3)
        bits.write(1, 1)
        bits.write(1, 8)
        for _ in 0..<10 { bits.write(0x66, 8) }
        bits.write(93, 8)
        bits.writeGolomb(0)
        bits.writeGolomb(1)
        bits.writeGolomb(width)
        bits.writeGolomb(height)
        bits.write(0, 1)
        bits.write(0x2A, 8)
        return bits.nal
    }

    static func hevcRecord(_ sets: [[UInt8]] = [vps, hevcSPS(), hevcPPS], lengthSize: Int = 4) -> [UInt8] {
        var record = [1] + [UInt8](repeating: 0, count: 20) + [0xFC | UInt8(lengthSize - 1), UInt8(sets.count)]
        for set in sets { record += [0x80 | set[0] >> 1 & 0x3F, 0, 1] + number(set.count, 2) + set }
        return record
    }

    static func hevcSlice(_ value: Int = 1, isIDR: Bool = false, size: Int = 40) -> [UInt8] {
        [isIDR ? 19 << 1 : 1 << 1, 0x01, 0x80] + filler(value, size)
    }

    /// A message of Enhanced RTMP.
    ///
    /// - Parameter composition: The composition time, if the packet type has one.
    static func enhanced(
        _ packet: UInt8, _ fourCC: String = "hvc1", isKeyframe: Bool = false, composition: Int? = nil, _ body: [UInt8]
    ) -> [UInt8] {
        [0x80 | (isKeyframe ? 0x10 : 0x20) | packet] + Array(fourCC.utf8) + (composition.map { number($0, 3) } ?? [])
            + body
    }

    // MARK: AAC

    /// `AudioSpecificConfig` of AAC-LC.
    static func aacConfig(rateIndex: Int = 3, channels: Int = 2) -> [UInt8] {
        var bits = BitWriter()
        bits.write(2, 5)
        bits.write(rateIndex, 4)
        bits.write(channels, 4)
        bits.write(0, 3)
        return bits.bytes
    }

    static func aacHeader(_ config: [UInt8] = aacConfig()) -> [UInt8] { [0xAF, 0] + config }

    static func aac(_ value: Int = 1, size: Int = 16) -> [UInt8] { [0xAF, 1] + filler(value, size) }
}

/// A reader and its results.
struct Reading {
    var reader = MediaReader()
    var now: Int64 = 0

    struct Unit: Hashable {
        var unit: AccessUnit
        var isNewFormat: Bool
        /// The elementary stream's bytes.
        var payload: [UInt8]
    }

    @discardableResult
    mutating func take(_ message: Message) -> MediaReader.Event {
        message.bytes.withUnsafeBytes { reader.take(message.header, $0, now: now) }
    }

    @discardableResult
    mutating func video(_ time: Int, _ bytes: [UInt8]) -> Unit? { unit(Message(.video, time, bytes)) }

    @discardableResult
    mutating func audio(_ time: Int, _ bytes: [UInt8]) -> Unit? { unit(Message(.audio, time, bytes)) }

    mutating func unit(_ message: Message) -> Unit? {
        message.bytes.withUnsafeBytes { bytes in
            guard case .unit(let unit, let isNew) = reader.take(message.header, bytes, now: now) else { return nil }
            return Unit(
                unit: unit, isNewFormat: isNew, payload: Packets.payload(of: unit, from: reader.unit(in: bytes)))
        }
    }
}

/// A simple parser for the packets of one unit.
enum Packets {
    static func copy(_ unit: AccessUnit, from source: MediaUnit) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: unit.byteCount) { buffer, count in
            source.copyUnit(to: buffer.baseAddress!)
            count = unit.byteCount
        }
    }

    /// The bytes of the elementary stream.
    static func payload(of unit: AccessUnit, from source: MediaUnit) -> [UInt8] { payload(copy(unit, from: source)) }

    static func payload(_ packets: [UInt8]) -> [UInt8] {
        var payload: [UInt8] = []
        for start in stride(from: 0, to: packets.count, by: 188) {
            let offset = packets[start + 3] & 0x20 == 0 ? 4 : 5 + Int(packets[start + 4])
            payload += packets[start + offset..<start + 188]
        }
        return Array(payload.dropFirst(9 + Int(payload[8])))
    }
}
