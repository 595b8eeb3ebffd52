import Glibc
import RTMP

/// The other end of a connection: its socket, its session, and the answers that it has not taken yet.
///
/// It belongs to one thread at a time: the ingest's, and while a channel takes what it publishes, the data path's. The
/// two hand it to each other through the queues of their loops.
final class Peer: @unchecked Sendable {
    /// -1 once it is closed.
    private(set) var descriptor: CInt
    var session: PublishSession
    /// What is known of the media that it publishes.
    var media = MediaReader()
    /// Of its audio, where that is to be converted.
    var foreign = ForeignTrack()
    /// Bytes that came and have not been looked at.
    var held: [UInt8] = []
    private var unsent: [UInt8] = []

    /// Answers that a peer may leave unread, in bytes.
    private static let mostUnsent = 64 << 10

    /// - Parameter descriptor: Does not block, and is closed by ``close()``.
    init(_ descriptor: CInt, session: consuming PublishSession) {
        self.descriptor = descriptor
        self.session = session
    }

    deinit { close() }

    var isOpen: Bool { descriptor >= 0 }
    var hasUnsent: Bool { !unsent.isEmpty }

    /// Reads once.
    ///
    /// - Returns: The bytes that came; 0 where it has ended or is broken, `nil` where there is nothing for now.
    func read(into room: UnsafeMutableRawBufferPointer) -> Int? {
        while true {
            let count = Glibc.read(descriptor, room.baseAddress!, room.count)
            if count >= 0 { return count }
            if errno == EAGAIN { return nil }
            if errno != EINTR { return 0 }
        }
    }

    /// Puts what its session answers with the answers that wait.
    ///
    /// - Returns: Whether there was any.
    func takeReply() -> Bool {
        let reply = session.takeReply()
        unsent += reply
        return !reply.isEmpty
    }

    /// Sends of the answers what it takes.
    ///
    /// - Returns: `false` where it takes none, or is gone: it is not served.
    func send() -> Bool {
        while !unsent.isEmpty {
            let count = Glibc.send(descriptor, unsent, unsent.count, CInt(MSG_NOSIGNAL))
            if count > 0 {
                unsent.removeFirst(count)
            } else if errno != EINTR {
                return errno == EAGAIN && unsent.count <= Self.mostUnsent
            }
        }
        return true
    }

    /// Nothing more is said to it.
    func endOutput() { shutdown(descriptor, CInt(SHUT_WR)) }

    func close() {
        guard isOpen else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }
}
