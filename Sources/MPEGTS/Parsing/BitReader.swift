/// Reads bits, most significant first. Past the end it reads zeros and sets ``isExhausted``.
package struct BitReader {
    private let bytes: [UInt8]
    private var position = 0
    package private(set) var isExhausted = false

    /// Reads bytes as they are.
    package init(_ bytes: some Collection<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// Reads a NAL unit without its emulation prevention bytes (`00 00 03`).
    package init(unescaping nal: some Collection<UInt8>) {
        var plain: [UInt8] = []
        plain.reserveCapacity(nal.count)
        var zeros = 0
        for byte in nal {
            if zeros >= 2, byte == 3 {
                zeros = 0
                continue
            }
            zeros = byte == 0 ? zeros + 1 : 0
            plain.append(byte)
        }
        bytes = plain
    }

    /// Reads the next `count` bits, 0…32.
    package mutating func read(_ count: Int) -> Int {
        var value = 0
        for _ in 0..<count {
            value <<= 1
            let index = position >> 3
            if index < bytes.count {
                value |= Int(bytes[index] >> (7 - UInt8(position & 7)) & 1)
            } else {
                isExhausted = true
            }
            position += 1
        }
        return value
    }

    package mutating func skip(_ count: Int) {
        position += count
        if position > bytes.count * 8 { isExhausted = true }
    }

    /// Reads an Exp-Golomb number, `ue(v)`; 0 if it is longer than 32 bits.
    package mutating func readGolomb() -> Int {
        var zeros = 0
        while read(1) == 0 {
            zeros += 1
            if zeros > 31 || isExhausted {
                isExhausted = true
                return 0
            }
        }
        return (1 << zeros) - 1 + read(zeros)
    }

    /// Reads a signed Exp-Golomb number, `se(v)`.
    mutating func readSignedGolomb() -> Int {
        let value = readGolomb()
        return value & 1 == 1 ? (value + 1) / 2 : -(value / 2)
    }

    /// Skips a scaling list (ITU-T H.264, 7.3.2.1.1.1).
    mutating func skipScalingList(count: Int) {
        var last = 8
        var next = 8
        for _ in 0..<count {
            if next != 0 { next = (last + readSignedGolomb() + 256) & 0xFF }
            if next != 0 { last = next }
        }
    }

    /// Skips the parameters of the picture order count (ITU-T H.264, 7.3.2.1.1).
    ///
    /// - Returns: Whether they are valid.
    mutating func skipH264PictureOrder() -> Bool {
        switch readGolomb() {
        case 0:
            _ = readGolomb()
        case 1:
            skip(1)
            _ = readGolomb()
            _ = readGolomb()
            let cycle = readGolomb()
            guard cycle <= 255 else { return false }
            for _ in 0..<cycle { _ = readGolomb() }
        default:
            break
        }
        return true
    }
}
