import TestSupport

/// Recognises the frames of a publisher at a target, whatever happens to their timestamps and parameter sets.
struct FrameIdentity: Sendable {
    /// The index of each frame by the hash of its last NAL unit: its slice.
    private let indices: [UInt64: Int]
    let count: Int

    /// - Parameter tags: All frames of the publisher in AVC. Other tags do not count.
    init(_ tags: [FLVFile.Tag]) {
        let hashes = tags.filter(\.isFrame).map { Self.hash($0.body) }
        indices = Dictionary(zip(hashes, 0...), uniquingKeysWith: { first, _ in first })
        count = hashes.count
    }

    /// The index of a frame among the publisher's; `nil` for another frame, such as a slate's.
    func index(of tag: FLVFile.Tag) -> Int? { tag.isFrame ? indices[Self.hash(tag.body)] : nil }

    /// The FNV-1a hash of the last unit, each of which has its length before it.
    private static func hash(_ body: [UInt8]) -> UInt64 {
        body.withUnsafeBytes { bytes in
            var start = 5
            var size = 0
            while start + 4 <= bytes.count {
                size = (0..<4).reduce(0) { $0 << 8 | Int(bytes[start + $1]) }
                guard start + 4 + size < bytes.count else { break }
                start += 4 + size
            }
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for at in min(start + 4, bytes.count)..<min(start + 4 + size, bytes.count) {
                hash = (hash ^ UInt64(bytes[at])) &* 0x100_0000_01B3
            }
            return hash
        }
    }
}
