/// Borrowed bytes that are valid during a call.
package typealias Bytes = UnsafeRawBufferPointer

extension UnsafeRawBufferPointer {
    func bigEndian16(at offset: Int) -> Int { Int(self[offset]) << 8 | Int(self[offset + 1]) }
    func bigEndian24(at offset: Int) -> Int { bigEndian16(at: offset) << 8 | Int(self[offset + 2]) }
    func bigEndian32(at offset: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: bigEndian24(at: offset) << 8 | Int(self[offset + 3]))
    }

    func littleEndian32(at offset: Int) -> UInt32 { bigEndian32(at: offset).byteSwapped }

    /// Removes and returns up to `maximum` bytes from the front.
    mutating func takeFirst(_ maximum: Int) -> UnsafeRawBufferPointer {
        let count = Swift.min(maximum, self.count)
        let first = UnsafeRawBufferPointer(rebasing: self[..<count])
        self = UnsafeRawBufferPointer(rebasing: self[count...])
        return first
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    mutating func appendBigEndian24(_ value: Int) {
        append(UInt8(truncatingIfNeeded: value >> 16))
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }
}
