/// Writes bits, most significant first, as in parameter sets.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var count = 0

    mutating func write(_ value: Int, _ bits: Int) {
        for index in stride(from: bits - 1, through: 0, by: -1) {
            if count & 7 == 0 { bytes.append(0) }
            bytes[bytes.count - 1] |= UInt8(value >> index & 1) << (7 - UInt8(count & 7))
            count += 1
        }
    }

    /// Writes an Exp-Golomb number.
    mutating func writeGolomb(_ value: Int) {
        let width = Int.bitWidth - (value + 1).leadingZeroBitCount
        write(0, width - 1)
        write(value + 1, width)
    }

    /// The bytes as a NAL unit, with a stop bit and emulation prevention.
    var nal: [UInt8] {
        var whole = self
        whole.write(1, 1)
        var escaped: [UInt8] = []
        var zeros = 0
        for byte in whole.bytes {
            if zeros >= 2, byte <= 3 {
                escaped.append(3)
                zeros = 0
            }
            zeros = byte == 0 ? zeros + 1 : 0
            escaped.append(byte)
        }
        return escaped
    }
}
