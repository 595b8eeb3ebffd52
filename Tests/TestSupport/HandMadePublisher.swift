import Foundation

/// An RTMP publisher that sends given messages at given times, independent of their timestamps, as phones and careless
/// encoders do.
package enum HandMadePublisher {
    /// A message and the time at which it is sent.
    package struct Message: Sendable, Hashable {
        package var tag: FLVFile.Tag
        /// When it is sent, in milliseconds from the beginning.
        package var due: Int

        package init(_ tag: FLVFile.Tag, due: Int? = nil) {
            self.tag = tag
            self.due = due ?? tag.time
        }
    }

    /// The result of publishing.
    package struct Report: Sendable {
        /// When the last byte of each video frame was sent.
        package var frames: [ContinuousClock.Instant] = []
        /// Whether the server disconnected before everything was sent.
        package var wasCut = false
    }

    /// The longest delay that the publisher catches up with. A busy machine may delay it for longer, and a feed would
    /// lose frames if more came at once than it keeps.
    private static let longestDelay = Duration.seconds(1)

    /// Publishes messages in their order, and disconnects.
    ///
    /// - Parameter isEnough: Called for each message. Where it returns true, publishing ends before that message.
    package static func publish(
        _ messages: [Message], to port: Int, key: String, app: String = "live",
        isEnough: @escaping @Sendable (Message) -> Bool = { _ in false }
    ) async throws -> Report {
        try await onOwnThread { try deliver(messages, to: port, key: key, app: app, isEnough: isEnough) }
    }

    private static func deliver(
        _ messages: [Message], to port: Int, key: String, app: String, isEnough: (Message) -> Bool
    ) throws -> Report {
        let connection = try RTMPStranger.leave(
            RTMPStranger.asking(for: key, app: app) + RTMPStranger.chunkSize(1 << 20), at: port)
        defer { close(connection) }
        var report = Report()
        var start = ContinuousClock.now
        for message in messages {
            if isEnough(message) { break }
            let early: Duration = start + .milliseconds(message.due) - .now
            if early > .zero { usleep(UInt32(early.inSeconds * 1e6)) }
            if early + longestDelay < .zero { start -= early }
            discardAnswers(connection)
            let bytes = RTMPStranger.message(
                message.tag.kind == .video ? 6 : 4, message.tag.body, kind: message.tag.kind.rawValue,
                time: message.tag.time)
            guard send(bytes, to: connection) else {
                report.wasCut = true
                return report
            }
            if message.tag.isFrame { report.frames.append(.now) }
        }
        // If a connection is closed with unread answers, the server loses the bytes that it has not read.
        shutdown(connection, Int32(SHUT_WR))
        var ready = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
        let end = ContinuousClock.now + Limit.seconds(60)
        while ContinuousClock.now < end, poll(&ready, 1, 100) >= 0, !discardAnswers(connection) {}
        return report
    }

    private static func send(_ bytes: [UInt8], to connection: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.send(connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// - Returns: Whether the server has disconnected.
    @discardableResult
    private static func discardAnswers(_ connection: Int32) -> Bool {
        var room = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(connection, &room, room.count, Int32(MSG_DONTWAIT))
            if count > 0 { continue }
            return count == 0 || errno != EAGAIN && errno != EINTR
        }
    }
}
