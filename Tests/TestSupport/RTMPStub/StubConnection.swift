import Foundation
import Synchronization

/// A connection to an ``RTMPStub``, served by a thread of its own.
final class StubConnection: Sendable {
    /// Called for each message of audio, video and data after the server accepted the stream.
    let observe: (@Sendable (StubMessage) -> Void)?
    private let record = Mutex(StubRecord())
    /// `nil` once it is closed.
    private let descriptor: Mutex<Int32?>

    /// - Parameter descriptor: Owned by this object.
    init(_ descriptor: Int32, observe: (@Sendable (StubMessage) -> Void)?) {
        self.descriptor = Mutex(descriptor)
        self.observe = observe
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { finish() }

    /// Reads or changes the record.
    @discardableResult
    func note<Result: Sendable>(_ body: (inout StubRecord) -> Result) -> Result { record.withLock { body(&$0) } }

    /// The record so far.
    var copy: StubRecord { record.withLock { $0 } }

    /// Closes the connection to the client.
    func cut() { descriptor.withLock { if let open = $0 { shutdown(open, Int32(SHUT_RDWR)) } } }

    /// Serves the client until one side closes the connection. Blocks.
    func serve(_ behaviour: StubBehaviour, keepsMedia: Bool) {
        guard let open = descriptor.withLock({ $0 }) else { return }
        var dialogue = StubDialogue(behaviour, keepsMedia: keepsMedia, connection: self)
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let isSent = send(dialogue.output, to: open, singly: behaviour == .oneByteAtATime)
            dialogue.output = []
            guard isSent, !dialogue.isEnding else { break }
            let left = dialogue.nextDue.map { max(0, ($0 - .now).inSeconds * 1000).rounded(.up) } ?? -1
            var ready = pollfd(fd: open, events: dialogue.isDeaf ? 0 : Int16(POLLIN), revents: 0)
            let count = poll(&ready, 1, Int32(left))
            guard count >= 0 || errno == EINTR else { break }
            if count > 0 {
                let size = recv(open, &room, room.count, 0)
                guard size > 0 else { break }
                dialogue.take(room[..<size], at: .now)
            }
            dialogue.advance(to: .now)
        }
        // If a connection is closed with unread bytes, the client may lose the answer that it has not read.
        shutdown(open, Int32(SHUT_WR))
        drain(open)
        finish()
    }

    /// How long a client has time to close its side.
    private static let patience = Limit.seconds(1)

    /// Discards the client's bytes until it has closed its side.
    private func drain(_ open: Int32) {
        let end = ContinuousClock.now + Self.patience
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let left = (end - .now).inSeconds * 1000
            var ready = pollfd(fd: open, events: Int16(POLLIN), revents: 0)
            guard left > 0, poll(&ready, 1, Int32(left.rounded(.up))) > 0, recv(open, &room, room.count, 0) > 0 else {
                return
            }
        }
    }

    private func finish() {
        descriptor.withLock {
            if let open = $0 { close(open) }
            $0 = nil
        }
        note { $0.isOver = true }
    }

    /// - Parameter singly: Whether each byte goes in a segment of its own.
    private func send(_ bytes: [UInt8], to open: Int32, singly: Bool) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.send(open, $0.baseAddress! + sent, singly ? 1 : bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
            // Long enough for the client to read the byte by itself.
            if singly { usleep(100) }
        }
        return true
    }
}
