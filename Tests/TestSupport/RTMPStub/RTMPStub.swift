import Foundation
import Synchronization

/// An RTMP server on 127.0.0.1 that behaves as a test asks, well or badly, and keeps what each client sends.
///
/// Each connection has a thread of its own. All end with the stub.
package final class RTMPStub: Sendable {
    package let port: Int
    /// `nil` once it is shut down. Its thread closes it.
    private let listening: Mutex<Int32?>
    private let connections = Mutex<[StubConnection]>([])
    private let behaviour: Mutex<StubBehaviour>
    private let keepsMedia: Bool
    private let observe: (@Sendable (_ connection: Int, _ message: StubMessage) -> Void)?

    /// - Parameters:
    ///   - keepsMedia: Whether ``records`` have the messages of audio, video and data.
    ///   - observe: Called for each of those messages that the server accepts, on the thread of the connection, with
    ///     the index of its record.
    package init(
        _ behaviour: StubBehaviour = .accept, keepsMedia: Bool = true,
        observe: (@Sendable (_ connection: Int, _ message: StubMessage) -> Void)? = nil
    ) throws {
        port = try FreePort.tcp()
        self.behaviour = Mutex(behaviour)
        self.keepsMedia = keepsMedia
        self.observe = observe
        let listening = try listener(port: port, backlog: 512)
        self.listening = Mutex(listening)
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listening, nil, nil)
                // The error of a listener that is shut down.
                if client < 0, errno == EINVAL { break }
                if client < 0 {
                    usleep(1000)
                } else if let self {
                    _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                    self.serve(client)
                } else {
                    Foundation.close(client)
                }
            }
            Foundation.close(listening)
        }
    }

    deinit { close() }

    /// The address of a stream.
    package func url(_ name: String, application: String = "live") -> String {
        "rtmp://127.0.0.1:\(port)/\(application)/\(name)"
    }

    /// The connections so far, the oldest first.
    package var records: [StubRecord] { connections.withLock { $0 }.map(\.copy) }

    /// Sets the behaviour towards later connections.
    package func behave(_ behaviour: StubBehaviour) { self.behaviour.withLock { $0 = behaviour } }

    /// Closes the open connections. The stub accepts others.
    package func cut() { for connection in connections.withLock({ $0 }) { connection.cut() } }

    /// Stops listening, and closes the open connections.
    package func close() {
        listening.withLock {
            if let open = $0 { shutdown(open, Int32(SHUT_RDWR)) }
            $0 = nil
        }
        cut()
    }

    /// Waits until the record of a connection satisfies a condition.
    ///
    /// - Parameter index: Counts the connections from 0.
    @discardableResult
    package func waitFor(
        _ what: String, connection index: Int = 0, within limit: Duration = .seconds(40), file: String = #fileID,
        line: Int = #line, where isWanted: (StubRecord) -> Bool
    ) async throws -> StubRecord {
        try await eventually("\(what) at the stub", within: limit, file: file, line: line) {
            let records = records
            return records.indices.contains(index) && isWanted(records[index]) ? records[index] : nil
        }
    }

    private func serve(_ client: Int32) {
        let connection = connections.withLock { [observe] connections in
            let index = connections.count
            var call: (@Sendable (StubMessage) -> Void)?
            if let observe { call = { observe(index, $0) } }
            let connection = StubConnection(client, observe: call)
            connections.append(connection)
            return connection
        }
        // The stub may have been closed since the connection was accepted.
        if listening.withLock({ $0 == nil }) { connection.cut() }
        let behaviour = behaviour.withLock { $0 }
        Thread.detachNewThread { [keepsMedia] in connection.serve(behaviour, keepsMedia: keepsMedia) }
    }
}
