import AcceptBackoff
import Glibc
import NIOCore
import NIOPosix

/// The control socket: takes requests of the box's owner, a line each, and answers each with a line.
///
/// Nothing that a client does or leaves undone costs more than a place among ``mostClients`` for ``patience``.
package struct ControlServer: Sendable {
    package let path: String
    private let service: any ControlledService

    /// Clients at a time; another one is told to come again.
    package static let mostClients = 16
    /// Bytes of a request.
    package static let mostBytes = 64 << 10
    /// How long a client may take to send its request, and to read the answer.
    package static let patience = Duration.seconds(10)
    private let patience: Duration

    package init(path: String, service: any ControlledService, patience: Duration = Self.patience) {
        self.path = path
        self.service = service
        self.patience = patience
    }

    /// A socket that is open, and answers.
    package struct Opened: Sendable {
        fileprivate let channel: any Channel
    }

    /// Opens the socket, readable and writable for its owner alone.
    ///
    /// - Throws: ``ControlError`` when another service holds it or the folder cannot be written.
    package func open() async throws(ControlError) -> Opened {
        // Made under another name: it replaces what is left of another service at once.
        let fresh = path + ".new"
        guard let address = UnixAddress(fresh) else {
            throw ControlError(
                "the path of the control socket is too long: \(path). Choose a shorter `runtime:` folder")
        }
        if ControlClient(path: path).isAnswered() {
            throw ControlError("another streambox runs with this runtime folder: it answers at \(path)")
        }
        unlink(fresh)
        let places = Permits(count: Self.mostClients)
        let channel: any Channel
        do {
            channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: 32)
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(AcceptPause())
                    }
                }
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { [service, patience] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers(
                            ByteToMessageHandler(
                                LineDecoder(most: Self.mostBytes), maximumBufferSize: 2 * Self.mostBytes),
                            RequestHandler(service: service, places: places, patience: patience))
                    }
                }
                .withBoundSocket(try Self.bound(to: address)).get()
        } catch {
            throw ControlError("cannot make the control socket \(path): \(error)")
        }
        guard rename(fresh, path) == 0 else {
            let reason = String(cString: strerror(errno))
            try? await channel.close()
            unlink(fresh)
            throw ControlError("cannot make the control socket \(path): \(reason)")
        }
        return Opened(channel: channel)
    }

    /// A socket with a name that its owner alone may connect to, from its first moment: the name takes the socket's
    /// mode.
    private static func bound(to address: UnixAddress) throws(IOError) -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        guard fchmod(descriptor, 0o600) == 0, address.withPointer({ bind(descriptor, $0, $1) }) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            throw IOError(errnoCode: code, reason: "bind")
        }
        return descriptor
    }

    /// Keeps the socket until the task is cancelled; then it is gone.
    package func run(_ opened: Opened) async {
        await withTaskCancellationHandler {
            try? await opened.channel.closeFuture.get()
        } onCancel: {
            opened.channel.close(promise: nil)
        }
        unlink(path)
    }

    /// Closes a socket that is not going to be kept.
    package func close(_ opened: Opened) async {
        try? await opened.channel.close()
        unlink(path)
    }
}
