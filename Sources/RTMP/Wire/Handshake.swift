/// The server's side of the simple handshake: version, 1536 bytes from each side, and their echo.
///
/// Clients that offer the handshake with digests fall back to this one, because the version in the answer is zero.
struct Handshake {
    /// The size of each side's random part in bytes.
    static let size = 1536
    private static let version: UInt8 = 3

    /// The bytes of version and random part that the client has sent.
    private var greeting: [UInt8] = []
    /// The number of bytes of the echo that have come.
    private var echoed = 0
    private let nonce: UInt64

    /// - Parameter nonce: The seed of the server's random part.
    init(nonce: UInt64) {
        self.nonce = nonce
    }

    var isComplete: Bool { echoed == Self.size }

    /// Consumes the bytes of the handshake, and appends the answer to `reply` when it is due.
    mutating func receive(_ input: inout Bytes, reply: inout [UInt8]) throws(Violation) {
        let whole = 1 + Self.size
        if greeting.count < whole {
            greeting.append(contentsOf: input.takeFirst(whole - greeting.count))
            guard greeting.first ?? Self.version == Self.version else { throw .noHandshake }
            guard greeting.count == whole else { return }
            answer(&reply)
        }
        echoed += input.takeFirst(Self.size - echoed).count
        if isComplete { greeting = [] }
    }

    private func answer(_ reply: inout [UInt8]) {
        reply.append(Self.version)
        // Time and version are zero. The other bytes can be anything.
        reply.append(contentsOf: repeatElement(0, count: 8))
        var state = nonce
        for _ in 0..<(Self.size - 8) / 8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            reply.appendBigEndian(state ^ state >> 29)
        }
        reply.append(contentsOf: greeting[1...])
    }
}
