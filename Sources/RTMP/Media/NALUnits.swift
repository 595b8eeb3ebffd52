/// Iterates over the NAL units of a message, each after its length (ISO/IEC 14496-15, 5.3.2). Empty units are skipped.
struct NALUnits: Sequence, IteratorProtocol {
    private var rest: Bytes
    private let lengthSize: Int

    /// The largest number of NAL units in a frame. Encoders that split frames into slices for network packets send
    /// hundreds.
    static let maximum = 4096

    /// - Parameter lengthSize: The size of each length field, 1…4 bytes.
    init(_ bytes: Bytes, lengthSize: Int) {
        rest = bytes
        self.lengthSize = lengthSize
    }

    /// Returns the next unit; `nil` at the end, and if the bytes are invalid.
    mutating func next() -> Bytes? {
        while rest.count > lengthSize {
            let length = Self.length(rest, lengthSize)
            guard length <= rest.count - lengthSize else { return nil }
            let unit = Bytes(rebasing: rest[lengthSize..<lengthSize + length])
            rest = Bytes(rebasing: rest[(lengthSize + length)...])
            if length > 0 { return unit }
        }
        return nil
    }

    /// Checks the lengths.
    ///
    /// - Returns: The number of empty units.
    /// - Throws: The fault of the lengths.
    static func check(_ bytes: Bytes, lengthSize: Int) throws(MediaFault) -> Int {
        var position = 0
        var (units, empty) = (0, 0)
        while bytes.count - position >= lengthSize {
            let length = length(Bytes(rebasing: bytes[position...]), lengthSize)
            position += lengthSize
            guard length <= bytes.count - position else { throw .wrongLength }
            position += length
            units += 1
            if length == 0 { empty += 1 }
            guard units <= maximum else { throw .oversizedUnit }
        }
        // Zeros after the last unit are padding.
        guard bytes[position...].allSatisfy({ $0 == 0 }) else { throw .truncatedUnit }
        return empty
    }

    private static func length(_ bytes: Bytes, _ size: Int) -> Int {
        var length = 0
        for index in 0..<size { length = length << 8 | Int(bytes[index]) }
        return length
    }
}
