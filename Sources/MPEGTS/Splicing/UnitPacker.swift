/// Writes one access unit as transport packets, piece by piece, directly into the destination:
///
///     var packer = UnitPacker(unit, size: size, to: destination)
///     packer.append(…)     // `size` bytes in all
///
/// The unit becomes one PES packet (ISO/IEC 13818-1, 2.4.3.6). Video has PTS and DTS, and its first packet carries the
/// program clock reference. The adaptation field pads the last packet.
package struct UnitPacker: ~Copyable {
    private let kind: StreamKind
    /// The destination of the next byte.
    private var next: UnsafeMutablePointer<UInt8>
    /// Bytes of payload that still fit into the current packet.
    private var room = 0
    /// Bytes of the PES packet that belong to later packets.
    private var rest: Int

    /// Bytes of payload in a packet without an adaptation field.
    private static let payloadSize = Packet.size - 4
    /// Bytes of the adaptation field with a clock reference, including its length.
    private static let clockSize = 8
    /// Ticks from a clock reference to the decoding time of its unit. Relays use the same value (`-muxdelay 0.07`).
    private static let clockLead: Int64 = 6300

    /// - Parameters:
    ///   - size: The size of the elementary stream data, in bytes.
    ///   - destination: Space for ``byteCount(_:size:)`` bytes.
    package init(_ unit: AccessUnit, size: Int, to destination: UnsafeMutablePointer<UInt8>) {
        kind = unit.kind
        next = destination
        rest = Self.headerSize(unit.kind) + size
        beginPacket(of: unit)
        writeHeader(of: unit)
    }

    /// The size of a unit's packets in bytes: a multiple of 188.
    package static func byteCount(_ kind: StreamKind, size: Int) -> Int {
        let first = payloadSize - (kind == .video ? clockSize : 0)
        let others = max(0, headerSize(kind) + size - first)
        return (1 + (others + payloadSize - 1) / payloadSize) * Packet.size
    }

    private static func headerSize(_ kind: StreamKind) -> Int { kind == .video ? 19 : 14 }

    /// Writes the next bytes of the unit.
    ///
    /// - Precondition: The bytes do not exceed the announced size.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        var position = 0
        while position < bytes.count {
            if room == 0 {
                precondition(rest > 0, "the unit is longer than announced")
                beginPacket(of: nil)
            }
            let count = min(room, bytes.count - position)
            UnsafeMutableRawPointer(next).copyMemory(from: bytes.baseAddress! + position, byteCount: count)
            next += count
            room -= count
            position += count
        }
    }

    /// Whether all announced bytes have been written.
    package var isComplete: Bool { room == 0 && rest == 0 }

    /// - Parameter unit: The unit for the first packet, `nil` for the others.
    private mutating func beginPacket(of unit: AccessUnit?) {
        let clock = unit.map { $0.kind == .video } ?? false ? Self.clockSize : 0
        let count = min(rest, Self.payloadSize - clock)
        let adaptation = Self.payloadSize - count
        let pid = kind == .video ? FeedLayout.videoPID : FeedLayout.audioPID
        next[0] = Packet.syncByte
        next[1] = (unit == nil ? 0 : 0x40) | UInt8(pid >> 8)
        next[2] = UInt8(truncatingIfNeeded: pid)
        next[3] = adaptation > 0 ? 0x30 : 0x10
        if adaptation > 0 { next[4] = UInt8(adaptation - 1) }
        if adaptation > 1 {
            next[5] = 0
            (next + 6).update(repeating: 0xFF, count: adaptation - 2)
        }
        if clock > 0, let unit {
            next[5] = unit.isKeyframe ? 0x50 : 0x10
            Self.writeClock(unit.dts - Self.clockLead, to: next + 6)
        }
        next += 4 + adaptation
        room = count
        rest -= count
    }

    private static func writeClock(_ ticks: Int64, to field: UnsafeMutablePointer<UInt8>) {
        let clock = Ticks.onWire(ticks)
        field[0] = UInt8(truncatingIfNeeded: clock >> 25)
        field[1] = UInt8(truncatingIfNeeded: clock >> 17)
        field[2] = UInt8(truncatingIfNeeded: clock >> 9)
        field[3] = UInt8(truncatingIfNeeded: clock >> 1)
        field[4] = UInt8(truncatingIfNeeded: clock & 1) << 7 | 0x7E
        field[5] = 0
    }

    /// Writes a PES header without the length. The ``FeedWriter`` writes the length if it fits into 16 bits.
    private mutating func writeHeader(of unit: AccessUnit) {
        let size = Self.headerSize(kind)
        next.update(repeating: 0, count: size)
        next[2] = 1
        next[3] = kind == .video ? 0xE0 : 0xC0
        // The unit begins with the payload (data_alignment_indicator).
        next[6] = 0x84
        next[8] = UInt8(size - 9)
        switch kind {
        case .video:
            next[7] = 0xC0
            PESHeader.writeTimestamp(unit.pts, marker: 0b0011, to: next + 9)
            PESHeader.writeTimestamp(unit.dts, marker: 0b0001, to: next + 14)
        case .audio:
            next[7] = 0x80
            PESHeader.writeTimestamp(unit.pts, marker: 0b0010, to: next + 9)
        }
        next += size
        room -= size
    }
}
