/// The NAL units of a message, each behind its length (ISO/IEC 14496-15, 5.3.2). Units without bytes are passed over.
struct NALUnits: Sequence, IteratorProtocol {
    private var rest: Bytes
    private let lengthSize: Int

    /// NAL units of one frame, at the most. Encoders that cut frames into slices for packets of a network send
    /// hundreds.
    static let most = 4096

    /// - Parameter lengthSize: Bytes of each length, 1…4.
    init(_ bytes: Bytes, lengthSize: Int) {
        rest = bytes
        self.lengthSize = lengthSize
    }

    /// The next unit; `nil` at the end, and where the bytes make no sense.
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

    /// Walks over the lengths.
    ///
    /// - Returns: Units without bytes.
    /// - Throws: What is wrong with the lengths.
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
            guard units <= most else { throw .oversizedUnit }
        }
        // Zeros behind the last unit are padding.
        guard bytes[position...].allSatisfy({ $0 == 0 }) else { throw .truncatedUnit }
        return empty
    }

    private static func length(_ bytes: Bytes, _ size: Int) -> Int {
        var length = 0
        for index in 0..<size { length = length << 8 | Int(bytes[index]) }
        return length
    }
}
