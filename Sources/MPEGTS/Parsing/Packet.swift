/// A view of one transport stream packet in memory that it does not own: 188 bytes that start with the sync byte.
///
/// Reading a field that the packet does not have returns `nil` or an empty range, and never reads past the packet.
struct Packet {
    static let size = 188
    static let syncByte: UInt8 = 0x47

    let bytes: UnsafeMutablePointer<UInt8>

    init(_ bytes: UnsafeMutablePointer<UInt8>) { self.bytes = bytes }

    var hasError: Bool { bytes[1] & 0x80 != 0 }
    /// Whether the payload begins a PES packet or a PSI section (`payload_unit_start_indicator`).
    var startsUnit: Bool { bytes[1] & 0x40 != 0 }
    var isScrambled: Bool { bytes[3] & 0xC0 != 0 }
    var hasPayload: Bool { bytes[3] & 0x10 != 0 }
    var hasAdaptation: Bool { bytes[3] & 0x20 != 0 }
    var continuity: UInt8 { bytes[3] & 0x0F }

    var pid: UInt16 {
        get { UInt16(bytes[1] & 0x1F) << 8 | UInt16(bytes[2]) }
        nonmutating set {
            bytes[1] = bytes[1] & 0xE0 | UInt8(newValue >> 8)
            bytes[2] = UInt8(truncatingIfNeeded: newValue)
        }
    }

    func setContinuity(_ value: UInt8) { bytes[3] = bytes[3] & 0xF0 | value & 0x0F }

    /// The offset of the payload; 188 if there is none or the adaptation field is longer than the packet.
    var payloadOffset: Int {
        guard hasPayload else { return Packet.size }
        guard hasAdaptation else { return 4 }
        return min(5 + Int(bytes[4]), Packet.size)
    }

    private var adaptationFlags: UInt8? { hasAdaptation && bytes[4] > 0 ? bytes[5] : nil }

    var isDiscontinuity: Bool { (adaptationFlags ?? 0) & 0x80 != 0 }
    var isRandomAccess: Bool { (adaptationFlags ?? 0) & 0x40 != 0 }

    func clearDiscontinuity() {
        if hasAdaptation, bytes[4] > 0 { bytes[5] &= 0x7F }
    }

    /// The adaptation field is longer than its contents.
    ///
    /// A muxer that writes one PES packet after another, like FFmpeg's, pads the last packet of each this way. So the
    /// end of a video PES packet of undeclared length is known before the next one begins.
    var isStuffed: Bool {
        guard hasAdaptation else { return false }
        let length = Int(bytes[4])
        guard length > 0 else { return true }
        let flags = bytes[5]
        guard flags & 0x03 == 0 else { return false }
        var needed = 1
        if flags & 0x10 != 0 { needed += 6 }
        if flags & 0x08 != 0 { needed += 6 }
        if flags & 0x04 != 0 { needed += 1 }
        return length > needed
    }

    /// Moves the clock reference, if there is one, by the same offset as its unit. If it would then be later than the
    /// unit's decoding time, or much earlier, it becomes the decoding time. (FFmpeg writes 0 while its own times are
    /// negative, as they are if it began shortly before the wrap.) It is never earlier than `last`.
    ///
    /// - Parameter last: The last clock reference of the feed; set to the new one.
    func moveClock(by offset: Int64, for dts: Int64, after last: inout Int64) {
        guard let flags = adaptationFlags, flags & 0x10 != 0, bytes[4] >= 7 else { return }
        let pcr = bytes + 6
        let base =
            Int64(pcr[0]) << 25 | Int64(pcr[1]) << 17 | Int64(pcr[2]) << 9 | Int64(pcr[3]) << 1 | Int64(pcr[4] >> 7)
        let moved = Ticks.extend(Ticks.onWire(base + offset), near: dts)
        last = max(last, moved <= dts && dts - moved <= Ticks.perSecond ? moved : dts)
        let clock = Ticks.onWire(last)
        pcr[0] = UInt8(truncatingIfNeeded: clock >> 25)
        pcr[1] = UInt8(truncatingIfNeeded: clock >> 17)
        pcr[2] = UInt8(truncatingIfNeeded: clock >> 9)
        pcr[3] = UInt8(truncatingIfNeeded: clock >> 1)
        pcr[4] = UInt8(truncatingIfNeeded: clock & 1) << 7 | pcr[4] & 0x7F
    }
}
