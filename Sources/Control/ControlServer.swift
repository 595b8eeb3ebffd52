import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix

/// The control socket: takes requests of the box's owner, a line each, and answers each with a line.
///
/// Nothing that a client does or leaves undone costs more than a place among ``mostClients`` for ``patience``.
public struct ControlServer: Sendable {
    public let path: String
    private let service: any ControlledService

    /// Clients at a time; another one is told to come again.
    public static let mostClients = 16
    /// Bytes of a request.
    public static let mostBytes = 64 << 10
    /// How long a client may take to send its request.
    public static let patience = Duration.seconds(10)
    private let patience: Duration

    public init(path: String, service: any ControlledService, patience: Duration = Self.patience) {
        self.path = path
        self.service = service
        self.patience = patience
    }

    private typealias Client = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// A socket that is open and not served yet.
    public struct Opened: Sendable {
        fileprivate let channel: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>
    }

    /// Opens the socket, readable and writable for its owner alone.
    ///
    /// - Throws: ``ControlError`` when another service holds it or the folder cannot be written.
    public func open() async throws(ControlError) -> Opened {
        guard path.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 4 else {
            throw ControlError("the path of the control socket is too long: \(path). Choose a shorter `runtime:` folder")
        }
        if await ControlClient(path: path).isAnswered() {
            throw ControlError("another streambox runs with this runtime folder: it answers at \(path)")
        }
        // Made under another name, so that nobody can reach it before its mode is right.
        let fresh = path + ".new"
        unlink(fresh)
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: 32)
                .bind(unixDomainSocketPath: fresh) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            ByteToMessageHandler(LineDecoder(most: Self.mostBytes), maximumBufferSize: 2 * Self.mostBytes))
                        return try Client(wrappingChannelSynchronously: channel)
                    }
                }
            guard chmod(fresh, 0o600) == 0, rename(fresh, path) == 0 else {
                let reason = String(cString: strerror(errno))
                try? await channel.channel.close()
                unlink(fresh)
                throw ControlError("cannot make the control socket \(path): \(reason)")
            }
            return Opened(channel: channel)
        } catch let error as ControlError {
            throw error
        } catch {
            throw ControlError("cannot make the control socket \(path): \(error)")
        }
    }

    /// Serves until the task is cancelled; then the socket is gone.
    public func run(_ opened: Opened) async {
        defer { unlink(path) }
        let places = Places(count: Self.mostClients)
        try? await opened.channel.executeThenClose { clients in
            await withDiscardingTaskGroup { tasks in
                do {
                    for try await client in clients {
                        let isWelcome = places.take()
                        tasks.addTask {
                            await serve(client, isWelcome: isWelcome)
                            if isWelcome { places.give() }
                        }
                    }
                } catch {
                    // The listener has ended: with the service, or with its descriptor.
                }
                tasks.cancelAll()
            }
        }
    }

    private func serve(_ client: Client, isWelcome: Bool) async {
        let guardian = Task { [patience] in
            try? await ContinuousClock().sleep(for: patience)
            if !Task.isCancelled { try? await client.channel.close() }
        }
        defer { guardian.cancel() }
        try? await client.executeThenClose { requests, replies in
            guard isWelcome else {
                return try await replies.write(Self.line(ControlReply(.refused, "too many commands at a time; try again")))
            }
            do {
                for try await line in requests {
                    guardian.cancel()
                    let reply: ControlReply
                    if let request = try? JSONDecoder().decode(ControlRequest.self, from: Data(line.readableBytesView)) {
                        reply = await service.answer(request)
                    } else {
                        let commands = ControlRequest.Command.allCases.map(\.rawValue).joined(separator: ", ")
                        reply = ControlReply(.mistaken, "not a request; one is a JSON object on a line, with a `command`: \(commands)")
                    }
                    // One request a connection.
                    return try await replies.write(Self.line(reply))
                }
            } catch is LineDecoder.TooLong {
                try await replies.write(Self.line(ControlReply(.mistaken, "a request has at most \(Self.mostBytes) bytes")))
            }
        }
    }

    private static func line(_ reply: ControlReply) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = (try? encoder.encode(reply)) ?? Data(#"{"message":"the reply cannot be written","outcome":"refused"}"#.utf8)
        var buffer = ByteBuffer(bytes: data)
        buffer.writeInteger(UInt8(ascii: "\n"))
        return buffer
    }
}
