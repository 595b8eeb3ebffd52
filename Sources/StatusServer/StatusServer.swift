import AcceptBackoff
import Glibc
import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
package import Status

/// The status of the service over HTTP, read-only: `/metrics`, `/healthz`, `/readyz`, `/api/status` and `/api/events`.
///
/// It has a thread of its own, and ``ServerLimits`` bounds what clients can use. If another program uses the port,
/// streams continue: it is a problem, and the server retries.
package struct StatusServer: Service {
    private let host: String
    private let port: Int
    private let limits: ServerLimits
    private let problems: ProblemBoard
    private let logger: Logger
    private let connections: Connections
    private let streams: EventStreams
    private let responder: StatusResponder

    /// A thread that lives as long as the process: the library ends its server in a task of its own, which no caller
    /// can wait for and which may run after everything else has ended.
    private static let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private static let problem = Problem.Kind.statusPortUnavailable
    private static let longestPause = Duration.seconds(30)

    /// - Parameter problems: Receives the problem of a port that cannot be opened.
    package init(
        host: String, port: Int, status: SharedStatus, problems: ProblemBoard, limits: ServerLimits = ServerLimits(),
        logger: Logger
    ) {
        self.host = host
        self.port = port
        self.limits = limits
        self.problems = problems
        self.logger = logger
        connections = Connections(most: limits.connections)
        streams = EventStreams(status: status, limits: limits)
        responder = StatusResponder(status: status, streams: streams, limits: limits)
    }

    /// Runs until the service shuts down, gracefully or by cancellation.
    package func run() async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await streams.run() }
            tasks.addTask { await serve() }
            try? await gracefulShutdown()
            await streams.end(within: .milliseconds(500))
            connections.close()
            tasks.cancelAll()
        }
    }

    private func serve() async {
        var pause = Duration.seconds(1)
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                try await listen()
                pause = .seconds(1)
            } catch {
                if !Task.isCancelled, !Task.isShuttingDownGracefully { report(error) }
            }
            try? await cancelWhenGracefulShutdown { [pause] in try await ContinuousClock().sleep(for: pause) }
            pause = min(pause * 2, Self.longestPause)
        }
        problems.clear(Self.problem, subject: subject)
    }

    /// Serves requests until the shutdown.
    private func listen() async throws {
        // The library logs its own steps, which an operator does not need.
        var quiet = logger
        quiet.logLevel = .critical
        let (responder, limits, connections) = (responder, limits, connections)
        let channel = HTTP1Channel(
            responder: { request, writer, channel in try await responder.respond(to: request, writer, channel) },
            configuration: .init(
                additionalChannelHandlers: [ConnectionGuard(limits: limits, connections: connections)],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.requestBytes, maxHeaderListSize: limits.requestBytes,
                    maxHeaderFieldCount: 100)))
        let (starts, start) = AsyncStream<Never>.makeStream()
        let server = Server(
            childChannelSetup: channel,
            configuration: ServerConfiguration(address: .hostname(host, port: port), backlog: 256),
            onServerRunning: { channel in
                // The library gives no earlier access to the channel.
                try? await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(), position: .first)
                }.get()
                let wasFailing = problems.clear(Self.problem, subject: subject)
                logger.log(
                    level: wasFailing ? .notice : .info, "the status server is listening",
                    metadata: ["address": "\(subject)"])
                start.finish()
            }, eventLoopGroup: Self.threads, logger: quiet)
        // Never cancelled: the library ends the program over a connection that it has accepted and not passed on yet,
        // and a cancellation would drop such a connection. The server is asked to end instead, once it runs.
        let serving = Task {
            defer { start.finish() }
            try await withTaskExecutorPreference(LoopExecutor(Self.threads.next())) { try await server.run() }
        }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            Task {
                for await _ in starts {}
                try? await server.shutdownGracefully()
            }
        }
    }

    private var subject: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private func report(_ error: any Error) {
        let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
        let sentence =
            """
            the status server cannot listen on \(subject): \(reason); free the address, or choose another with \
            status.listen
            """
        if problems.report(Problem(Self.problem, subject: subject, sentence: sentence)) {
            logger.error(
                "the status server cannot listen, retrying",
                metadata: ["address": "\(subject)", "reason": "\(sentence)"])
        }
    }
}
