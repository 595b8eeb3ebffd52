import MPEGTS

/// Reads the frames of a clip, one after the other, once.
struct SlateReader: ~Copyable {
    private(set) var parser: UnitParser
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        parser = UnitParser(capacity: 64 << 10)
    }

    /// Returns the next frame, whose bytes the parser holds until the next call; `nil` at the end.
    mutating func next() -> AccessUnit? {
        while true {
            while let event = parser.next() {
                if case .unit(let unit) = event, unit.kind == .video { return unit }
            }
            guard position < bytes.count else { return nil }
            position += bytes.withUnsafeBytes { parser.append(UnsafeRawBufferPointer(rebasing: $0[position...])) }
        }
    }
}
