import AcceptBackoff
import Glibc
import NIOCore
import NIOPosix

/// The control socket: takes requests of the service's user, one per line, and answers each with one line.
///
/// A client that sends or reads nothing occupies one of ``mostClients`` places, and no longer than ``patience``.
package struct ControlServer: Sendable {
    package let path: String
    private let service: any ControlledService

    /// The most clients at a time. A further client gets an answer that asks it to try again.
    package static let mostClients = 16
    /// The most bytes of a request.
    package static let mostBytes = 64 << 10
    /// How long a client may take to send its request, and how long to read the answer.
    package static let patience = Duration.seconds(10)
    private let patience: Duration

    package init(path: String, service: any ControlledService, patience: Duration = Self.patience) {
        self.path = path
        self.service = service
        self.patience = patience
    }

    /// An open socket that answers requests.
    package struct Opened: Sendable {
        fileprivate let channel: any Channel
    }

    /// Opens the socket, readable and writable for its owner alone.
    ///
    /// - Throws: ``ControlError`` when another service uses the socket or the folder cannot be written.
    package func open() async throws(ControlError) -> Opened {
        // Created under another name and renamed, so that it replaces the socket of a dead service in one step.
        let fresh = path + ".new"
        guard let address = UnixAddress(fresh) else {
            throw ControlError(
                "the path of the control socket is too long: \(path). Choose a shorter `runtime:` folder")
        }
        if ControlClient(path: path).isAnswered() {
            throw ControlError(
                """
                another streambox runs with this runtime folder: it answers at \(path). Stop it, or choose another \
                `runtime:` folder
                """)
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
            throw ControlError("cannot create the control socket \(path): \(error)")
        }
        guard rename(fresh, path) == 0 else {
            let reason = String(cString: strerror(errno))
            try? await channel.close()
            unlink(fresh)
            throw ControlError("cannot create the control socket \(path): \(reason)")
        }
        return Opened(channel: channel)
    }

    /// Creates a bound socket that only its owner may connect to. The mode is set before the socket is bound, and its
    /// name takes it over, so that no other user can connect even for a moment.
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

    /// Answers requests until the task is cancelled, then removes the socket.
    package func run(_ opened: Opened) async {
        await withTaskCancellationHandler {
            try? await opened.channel.closeFuture.get()
        } onCancel: {
            opened.channel.close(promise: nil)
        }
        unlink(path)
    }

    /// Closes and removes a socket that is not used.
    package func close(_ opened: Opened) async {
        try? await opened.channel.close()
        unlink(path)
    }
}
