/// Reads choices from the bytes of an input; after its end every choice is 0.
struct FuzzInput {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func number(bytes count: Int) -> Int64 {
        var value: Int64 = 0
        for _ in 0..<count { value = value << 8 | Int64(byte()) }
        return value
    }

    /// Reads up to `count` bytes.
    mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
        let end = min(bytes.count, position + max(0, count))
        defer { position = end }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    }

    mutating func rest() -> UnsafeRawBufferPointer { take(bytes.count - position) }
}
