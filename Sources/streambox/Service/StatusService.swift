import BoxConfiguration
import Logging
import ServiceLifecycle
import Status
import StatusServer
import Supervision

/// Publishes the status of the service as the configuration says: in a file and over HTTP. A reload that changes one of
/// them does not touch the other.
struct StatusService: Service {
    let status: SharedStatus
    let problems: ProblemBoard
    private let disk: Disk
    let logger: Logger
    private let changes: AsyncStream<StatusConfiguration>
    private let change: AsyncStream<StatusConfiguration>.Continuation

    init(
        _ configuration: StatusConfiguration, status: SharedStatus, problems: ProblemBoard, disk: Disk, logger: Logger
    ) {
        self.status = status
        self.problems = problems
        self.disk = disk
        self.logger = logger
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        change.yield(configuration)
    }

    func apply(_ configuration: StatusConfiguration) { change.yield(configuration) }

    func run() async {
        let file = Part<StatusConfiguration> { configuration in
            await StatusFileService(
                status: status, configuration: configuration, problems: problems, disk: disk, logger: logger
            ).run()
        }
        // Without `listen` there is no server, and none of its memory.
        let server = Part<SocketAddress?> { listen in
            guard let listen else { return }
            await StatusServer(host: listen.host, port: listen.port, status: status, problems: problems, logger: logger)
                .run()
        }
        await cancelWhenGracefulShutdown {
            for await configuration in changes {
                var onlyFile = configuration
                onlyFile.listen = nil
                await file.run(with: onlyFile)
                await server.run(with: configuration.listen)
            }
        }
        await file.end(cancelling: Task.isCancelled)
        await server.end(cancelling: Task.isCancelled)
    }

    /// A part that runs with one setting until the setting changes.
    private actor Part<Setting: Equatable & Sendable> {
        private let body: @Sendable (Setting) async -> Void
        private var setting: Setting?
        private var task: Task<Void, Never>?

        init(_ body: @escaping @Sendable (Setting) async -> Void) {
            self.body = body
        }

        func run(with next: Setting) async {
            guard next != setting else { return }
            await end(cancelling: true)
            setting = next
            task = Task { [body] in await body(next) }
        }

        /// Waits for the end of the part. In a shutdown it ends by itself.
        func end(cancelling: Bool) async {
            if cancelling { task?.cancel() }
            await task?.value
        }
    }
}

/// Takes a snapshot at a steady pace, logs its problems, and writes it to the metrics file.
///
/// A disk that hangs blocks only a child process, and the thread that waits for it.
private struct StatusFileService {
    let status: SharedStatus
    let configuration: StatusConfiguration
    let problems: ProblemBoard
    let disk: Disk
    let logger: Logger

    private static let problem = Problem.Kind.statusFileUnwritable
    /// The longest time between two looks for problems, however seldom the file is written: a problem that is there at
    /// both counts as lasting.
    private static let pace = Duration.seconds(2)
    /// How long the supervisor may take to answer, and a disk to write the file.
    private static let patience = Duration.seconds(5)
    /// How long a disk may delay the end of the service.
    private static let lastPatience = Duration.seconds(1)

    func run() async {
        let file = configuration.file.map { disk.statusFile($0) }
        let writer = file.map { file in StatusFileWriter { try file.write($0) } }
        await cancelWhenGracefulShutdown {
            var isStarting = true
            var problemLog = ProblemLog()
            let clock = ContinuousClock()
            var due = clock.now
            while !Task.isCancelled {
                // The snapshot is made even if no file is written, because rates are measured from one snapshot to the
                // next.
                let snapshot = await status.snapshot(within: Self.patience)
                if let snapshot {
                    for change in problemLog.note(snapshot.problems, but: problems.problems, now: .now) {
                        change.log(to: logger)
                    }
                }
                if clock.now >= due {
                    if let file, let writer, let snapshot {
                        await publish(PrometheusText.render(snapshot), with: writer, to: file)
                    }
                    due = clock.now + configuration.every
                }
                try? await Task.sleep(for: min(due - clock.now, Self.pace))
                if isStarting { StartupPages.giveBack() }
                isStarting = false
            }
        }
        guard let file, let writer else { return }
        // In a task of its own: this task is cancelled and would not wait.
        let limit = Task.isShuttingDownGracefully ? Self.lastPatience : Self.patience
        await Task { await writer.finish(within: limit) { file.remove() } }.value
        file.end()
        problems.clear(Self.problem, subject: file.path)
    }

    private func publish(_ text: [UInt8], with writer: StatusFileWriter, to file: StatusFileChild) async {
        switch await writer.publish(text, within: min(configuration.every, Self.patience)) {
        case .written:
            if problems.clear(Self.problem, subject: file.path) {
                logger.notice("the metrics file is written again", metadata: ["file": "\(file.path)"])
            }
        case .failed(let why):
            report(why, of: file)
        case .busy where Task.isCancelled:
            break
        case .busy:
            report(
                """
                cannot write the metrics file \(file.path): the disk does not answer; check whether its file system \
                hangs
                """,
                of: file)
        }
    }

    private func report(_ why: String, of file: StatusFileChild) {
        if problems.report(Problem(Self.problem, subject: file.path, sentence: why)) {
            logger.error(
                "the metrics file cannot be written, retrying", metadata: ["file": "\(file.path)", "reason": "\(why)"])
        }
    }
}
