import Glibc
import RTMP

/// The client's end of a connection: its socket, its RTMP session, and answers that are not sent yet.
///
/// It belongs to one thread at a time: the ingest's, and the data path's while a channel reads the publisher. The two
/// hand it over through the queues of their loops.
final class Peer: @unchecked Sendable {
    /// -1 once it is closed.
    private(set) var descriptor: CInt
    var session: PublishSession
    /// Parses the media that it publishes.
    var media = MediaReader()
    /// The state of its audio, if that has to be converted.
    var foreignAudio = ForeignTrack()
    /// Bytes that were received and not parsed.
    var unparsed: [UInt8] = []
    private var unsent: [UInt8] = []

    /// The largest number of bytes of answers that a client may leave unread.
    private static let maximumUnsent = 64 << 10

    /// - Parameter descriptor: A non-blocking socket; ``close()`` closes it.
    init(_ descriptor: CInt, session: consuming PublishSession) {
        self.descriptor = descriptor
        self.session = session
    }

    deinit { close() }

    var isOpen: Bool { descriptor >= 0 }
    var hasUnsent: Bool { !unsent.isEmpty }

    /// Reads once.
    ///
    /// - Returns: The number of bytes; 0 if the connection has ended or failed, `nil` if no bytes are there now.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress!, buffer.count)
            if count >= 0 { return count }
            if errno == EAGAIN { return nil }
            if errno != EINTR { return 0 }
        }
    }

    /// Adds the session's answers to the unsent ones.
    ///
    /// - Returns: Whether there were any.
    func takeReply() -> Bool {
        let reply = session.takeReply()
        unsent += reply
        return !reply.isEmpty
    }

    /// Sends as much of the answers as the socket takes.
    ///
    /// - Returns: `false` if the client reads no answers or is gone: the connection is then to be closed.
    func send() -> Bool {
        while !unsent.isEmpty {
            let count = Glibc.send(descriptor, unsent, unsent.count, CInt(MSG_NOSIGNAL))
            if count > 0 {
                unsent.removeFirst(count)
            } else if errno != EINTR {
                return errno == EAGAIN && unsent.count <= Self.maximumUnsent
            }
        }
        return true
    }

    /// Closes the sending direction.
    func endOutput() { shutdown(descriptor, CInt(SHUT_WR)) }

    func close() {
        guard isOpen else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }
}
