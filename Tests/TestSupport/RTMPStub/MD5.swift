import Foundation

/// The MD5 digest of a text, which the challenges of RTMP servers are built on (RFC 1321).
enum MD5 {
    static func base64(_ text: String) -> String { Data(digest(Array(text.utf8))).base64EncodedString() }

    static func hexadecimal(_ text: String) -> String {
        digest(Array(text.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    private static let shifts: [[UInt32]] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]]
    private static let sines = (1...64).map { UInt32(abs(sin(Double($0))) * 0x1p32) }

    private static func digest(_ text: [UInt8]) -> [UInt8] {
        var padded = text + [0x80]
        while padded.count % 64 != 56 { padded.append(0) }
        padded += UInt64(text.count * 8).littleEndianBytes
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
        for block in stride(from: 0, to: padded.count, by: 64) {
            let words = stride(from: block, to: block + 64, by: 4).map { at in
                padded[at..<at + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            for step in 0..<64 {
                let (mixed, word) =
                    switch step / 16 {
                    case 0: (b & c | ~b & d, step)
                    case 1: (d & b | ~d & c, 5 * step + 1)
                    case 2: (b ^ c ^ d, 3 * step + 5)
                    default: (c ^ (b | ~d), 7 * step)
                    }
                let sum = a &+ mixed &+ sines[step] &+ words[word % 16]
                let shift = shifts[step / 16][step % 4]
                (a, d, c, b) = (d, c, b, b &+ (sum << shift | sum >> (32 - shift)))
            }
            for (index, value) in [a, b, c, d].enumerated() { state[index] &+= value }
        }
        return state.flatMap(\.littleEndianBytes)
    }
}
