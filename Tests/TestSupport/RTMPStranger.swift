import Foundation

/// An RTMP client that sends given bytes and reads the answer.
package enum RTMPStranger {
    /// Sends everything at once, reads the answer, and disconnects.
    ///
    /// Closes its sending side first and waits for the server to disconnect too. If the connection were closed at once
    /// while an answer is on its way, the kernel would discard the bytes that a busy server has not read yet.
    ///
    /// - Parameters:
    ///   - address: The local address in the loopback network; `nil` for the kernel's choice.
    ///   - patience: How long to wait for an answer, and for its end.
    /// - Returns: The bytes that came until then.
    package static func ask(_ port: Int, _ bytes: [UInt8], from address: UInt32? = nil, patience: Duration) throws
        -> [UInt8]
    {
        let connection = try connect(port: port, from: address)
        defer { close(connection) }
        _ = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        let (answer, isOver) = read(connection, for: patience)
        if !isOver {
            shutdown(connection, Int32(SHUT_WR))
            _ = read(connection, for: .seconds(10))
        }
        return answer
    }

    /// - Returns: The bytes that came within a time, and whether the server has disconnected.
    private static func read(_ connection: Int32, for patience: Duration) -> (bytes: [UInt8], isOver: Bool) {
        let end = ContinuousClock.now + patience
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            var descriptor = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
            let left = max(0, (end - .now).inSeconds * 1000)
            guard poll(&descriptor, 1, Int32(left)) > 0 else { return (answer, false) }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return (answer, true) }
            answer += buffer[..<count]
        }
    }

    /// The bytes of a client up to its request to publish; `nil` leaves that request out.
    package static func asking(for key: String?, app: String = "live") -> [UInt8] {
        let greeting =
            [3] + Array(repeating: 0, count: 3072)
            + command("connect", 1, [3] + text("app", isValue: false) + text(app) + [0, 0, 9])
        guard let key else { return greeting }
        return greeting + command("createStream", 2, [5])
            + command("publish", 3, [5] + text(key) + text("live"), stream: 1)
    }

    /// Only the request to publish, for a connection that has published before.
    package static func asking(again key: String) -> [UInt8] {
        command("publish", 5, [5] + text(key) + text("live"), stream: 1)
    }

    /// The request to stop publishing; the connection stays open.
    package static var stopping: [UInt8] {
        command("deleteStream", 4, [5, 0] + withUnsafeBytes(of: Double(1).bitPattern.bigEndian) { Array($0) })
    }

    /// The bytes of a publisher that sends a video message so many times.
    package static func publishing(_ video: [UInt8], times: Int = 1, key: String) -> [UInt8] {
        asking(for: key) + (0..<times).flatMap { _ in message(6, video, kind: 9) }
    }

    /// A message in one chunk. A message of more than 128 bytes needs a ``chunkSize(_:)`` before it.
    ///
    /// - Parameters:
    ///   - lane: The chunk stream id.
    ///   - time: In milliseconds; its lowest 32 bits are sent.
    package static func message(
        _ lane: UInt8, _ body: [UInt8], kind: UInt8, time: Int = 0, stream: UInt8 = 1
    ) -> [UInt8] {
        let time = UInt32(truncatingIfNeeded: time)
        let isLong = time >= 0xFF_FFFF
        let short = isLong ? 0xFF_FFFF : time
        return [lane] + bigEndian(short).dropFirst() + bigEndian(UInt32(body.count)).dropFirst()
            + [kind, stream, 0, 0, 0] + (isLong ? bigEndian(time) : []) + body
    }

    /// The message that sets the chunk size of all messages after it.
    package static func chunkSize(_ size: Int) -> [UInt8] { message(2, bigEndian(UInt32(size)), kind: 1, stream: 0) }

    private static func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    /// Sends everything, and stays connected.
    ///
    /// - Returns: The connection, owned by the caller.
    package static func leave(_ bytes: [UInt8], at port: Int) throws -> Int32 {
        let connection = try connect(port: port, from: nil)
        _ = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        return connection
    }

    private static func text(_ text: String, isValue: Bool = true) -> [UInt8] {
        (isValue ? [2] : []) + [0, UInt8(text.utf8.count)] + Array(text.utf8)
    }

    private static func command(_ name: String, _ number: Double, _ values: [UInt8], stream: UInt8 = 0) -> [UInt8] {
        let body = text(name) + [0] + withUnsafeBytes(of: number.bitPattern.bigEndian) { Array($0) } + values
        precondition(body.count <= 128, "longer than a chunk")
        return chunk(20, body, stream: stream, lane: 3)
    }

    private static func chunk(_ type: UInt8, _ body: [UInt8], stream: UInt8, lane: UInt8) -> [UInt8] {
        [lane, 0, 0, 0, 0, 0, UInt8(body.count), type, stream, 0, 0, 0] + body
    }
}
