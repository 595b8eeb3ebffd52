import BoxConfiguration
import Control
import EncoderSelection
import FFmpeg
import Glibc
import Logging
import ServiceLifecycle
import ServiceManager
import Status
import Supervision
import SystemPackage
import SystemSupport
import UnixSignals

/// The parts of the running service and their connections: the composition root of `streambox run`.
///
/// ``init(_:)`` builds the parts and starts nothing. ``run()`` opens the ports and starts the parts.
struct ServiceAssembly {
    private let inputs: ServiceInputs
    private let encoders: EncoderManager
    /// The encoder that each group used in the last run.
    private let encodersBefore: [String: String]
    private let disk: Disk
    private let supervisor: Supervisor
    private let manager: ServiceManager?
    private let problems = ProblemBoard()
    private let status: SharedStatus
    private let statusService: StatusService
    private let gaps: FFmpegGaps
    private let reload: LatestRun<[String]>
    private let persister: StatePersister
    private let control: ControlServer

    /// How long a graceful shutdown may take: the service ends within 10 s of a signal.
    private static let longestShutdown = Duration.seconds(9)

    init(_ inputs: ServiceInputs) {
        self.inputs = inputs
        let (configuration, environment, logger) = (inputs.file.configuration, inputs.environment, inputs.logger)
        Self.logStart(inputs)
        encodersBefore = inputs.state.encoders.read() ?? [:]
        encoders = EncoderManager(
            inputs.ffmpeg.encoders, order: configuration.encoders.order, lastUsed: encodersBefore,
            trial: EncoderTrial(ffmpeg: inputs.ffmpeg.binary, environment: environment), logger: logger)
        let context = Self.context(inputs, encoders: encoders)
        disk = context.disk
        supervisor = Supervisor(
            configuration, stopped: inputs.state.stopped.read() ?? StoppedOutputs(), context: context)
        manager = ServiceManager(environment: environment)
        status = Self.status(of: supervisor, problems: problems)
        statusService = StatusService(
            configuration.status, status: status, problems: problems, disk: disk, logger: logger)
        gaps = FFmpegGaps(ffmpeg: inputs.ffmpeg.binary.capabilities, problems: problems, logger: logger)
        let reload = Reload(
            supervisor: supervisor, disk: disk, encoders: encoders, gaps: gaps, statusService: statusService,
            path: inputs.path, environment: environment, runtime: inputs.paths.runtime, secrets: inputs.secrets,
            problems: problems, manager: manager, logger: logger)
        self.reload = LatestRun { try await reload() }
        persister = StatePersister(disk: disk, problems: problems, logger: logger)
        let handler = ControlHandler(
            supervisor: supervisor, reload: self.reload, stopped: inputs.state.stopped, persister: persister,
            status: status, logger: logger)
        control = ControlServer(path: ServicePaths.controlSocket(in: inputs.paths.runtime), service: handler)
    }

    private static func logStart(_ inputs: ServiceInputs) {
        inputs.file.logNotices(encoders: inputs.ffmpeg.encoders, to: inputs.logger)
        inputs.logger.notice(
            "starting",
            metadata: [
                "version": "\(Streambox.version)", "ffmpeg": "\(inputs.ffmpeg.binary.version)",
                "config": "\(inputs.file.name)",
            ])
    }

    private static func context(_ inputs: ServiceInputs, encoders: EncoderManager) -> ServiceContext {
        var context = ServiceContext(
            ffmpeg: inputs.ffmpeg.binary, encoders: encoders, runtime: FilePath(inputs.paths.runtime),
            environment: inputs.environment, secrets: inputs.secrets, logger: inputs.logger)
        context.slates = inputs.state.slates(of: inputs.file.configuration)
        context.testHooks = inputs.testHooks
        return context
    }

    private static func status(of supervisor: Supervisor, problems: ProblemBoard) -> SharedStatus {
        let start = StartTime()
        return SharedStatus {
            var snapshot = await supervisor.snapshot(
                version: Streambox.version, started: start.timestamp, process: OwnProcess.figures())
            // The problems of the service itself come first.
            snapshot.problems = problems.problems + snapshot.problems
            return snapshot
        }
    }

    /// Runs the service until a signal stops it.
    ///
    /// - Throws: ``Failure`` when the service cannot start.
    func run() async throws {
        let socket = try await open()
        gaps.report(for: inputs.file.configuration)
        // The lifecycle library logs its own steps at `info`; an operator does not need them.
        var logger = inputs.logger
        logger.logLevel = max(logger.logLevel, .error)
        var group = ServiceGroupConfiguration(
            services: services(socket), gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = Self.longestShutdown
        try await ServiceGroup(configuration: group).run()
    }

    /// Opens the control socket, then the ports of sources and taps, and prints how to reach them.
    private func open() async throws -> ControlServer.Opened {
        do {
            let socket = try await control.open()
            do {
                let taps = try await supervisor.prepare()
                try TapFile.write(taps, in: inputs.paths.runtime)
                let announcement = StartAnnouncement(
                    loaded: inputs.file, requestedPath: inputs.path, taps: taps, paths: inputs.paths)
                StandardOutput.tryWrite(announcement.text, to: STDOUT_FILENO)
            } catch {
                await control.close(socket)
                throw error
            }
            return socket
        } catch {
            throw Failure.atRunTime(error)
        }
    }

    private func services(_ socket: ControlServer.Opened) -> [any Service] {
        let knowledge = inputs.ffmpeg.knowledge
        var services: [any Service] = [
            SupervisorService(supervisor: supervisor, manager: manager),
            ReloadService(reload: reload),
            EncoderMemory(
                encoders: encoders, before: encodersBefore, file: inputs.state.encoders, persister: persister),
            FFmpegCheck(
                ffmpeg: inputs.ffmpeg.binary, knowledge: knowledge, isNew: knowledge != inputs.known,
                environment: inputs.environment, file: inputs.state.ffmpeg, disk: disk, status: status,
                problems: problems, logger: inputs.logger),
            ControlService(server: control, socket: socket),
            statusService,
        ]
        if let manager { services.append(ManagedService(manager: manager, status: status)) }
        return services
    }
}
