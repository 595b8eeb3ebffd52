import Foundation

/// An RTMP publisher of our own, which sends what it is told when it is told to, whatever the timestamps say: as phones
/// and careless encoders do it.
package enum HandMadePublisher {
    /// A message, and when it is sent.
    package struct Message: Sendable, Hashable {
        package var tag: FLVFile.Tag
        /// Milliseconds from the beginning.
        package var due: Int

        package init(_ tag: FLVFile.Tag, due: Int? = nil) {
            self.tag = tag
            self.due = due ?? tag.time
        }
    }

    /// How it went.
    package struct Report: Sendable {
        /// When the last byte of each frame of video was sent.
        package var pictures: [ContinuousClock.Instant] = []
        /// The server hung up before everything was sent.
        package var wasCut = false
    }

    /// What it is late is made up for up to here. More at once than a feed keeps would be lost, and a machine that is
    /// busy holds a publisher up for longer.
    private static let mostBehind = Duration.seconds(1)

    /// Publishes messages in their order, and leaves.
    ///
    /// - Parameter isEnough: Asked about each message: neither it nor what is behind it is sent.
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
            if early + mostBehind < .zero { start -= early }
            discardAnswers(connection)
            let bytes = RTMPStranger.message(
                message.tag.kind == .video ? 6 : 4, message.tag.body, kind: message.tag.kind.rawValue,
                time: message.tag.time)
            guard say(bytes, to: connection) else {
                report.wasCut = true
                return report
            }
            if message.tag.isPicture { report.pictures.append(.now) }
        }
        // A connection that is closed with answers unread takes with it what the server has not read.
        shutdown(connection, Int32(SHUT_WR))
        var ready = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
        let end = ContinuousClock.now + Limit.seconds(60)
        while ContinuousClock.now < end, poll(&ready, 1, 100) >= 0, !discardAnswers(connection) {}
        return report
    }

    private static func say(_ bytes: [UInt8], to connection: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// - Returns: Whether the server has hung up.
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
