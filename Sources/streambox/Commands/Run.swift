import ArgumentParser
import BoxConfiguration
import Control
import EncoderSelection
import FFmpeg
import Glibc
import Logging
import Redaction
import ServiceLifecycle
import ServiceManager
import Status
import Supervision
import SystemPackage
import SystemSupport
import UnixSignals

/// The service, in the foreground.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the service in the foreground until SIGINT or SIGTERM; SIGHUP reloads its configuration.",
        discussion: """
            Without --config: $STREAMBOX_CONFIG, else /etc/streambox/streambox.yaml, else a demo that listens for RTMP \
            on 127.0.0.1:1935, shows a test picture meanwhile, and records to \(Demo.folder).
            """)

    @Option(help: "The configuration file.")
    var config: String?

    @Option(help: "The least level to log.")
    var logLevel: LogLevel = .info

    @Option(
        help: ArgumentHelp(
            "Where timelines begin, in seconds: for tests of the wrap, at 95443.7 s.", visibility: .hidden))
    var timelineStart: Double?

    @Option(
        help: ArgumentHelp(
            "After how many seconds an encoder is replaced by a fresh one: for tests.", visibility: .hidden))
    var encoderLifetime: Double?

    @Option(help: ArgumentHelp("After how many seconds a lowered preset is raised: for tests.", visibility: .hidden))
    var presetPause: Double?

    @Option(
        help: ArgumentHelp("What is read in place of /proc/stat, for tests on a busy machine.", visibility: .hidden))
    var processorTimes: String?

    func run() async throws {
        ProcessLimits.forbidCores()
        ProcessLimits.allowDescriptors()
        let environment = processEnvironment()
        StartPace.keep(environment: environment)
        let file = try LoadedConfiguration(config, environment: environment)
        let secrets = SecretBook()
        secrets.learn(file.configuration.secretValues(environment: environment))
        let log = LogOutput(
            STDERR_FILENO, isJournal: Journal.reads(STDERR_FILENO, environment: environment), secrets: secrets)
        defer { log.finish() }
        var logger = Logger(label: "streambox") { _ in LogfmtHandler(log) }
        logger.logLevel = logLevel.level

        let folder = ServicePaths.state(file.configuration, environment: environment)
        let ffmpegState = StateFile<FFmpegKnowledge>(folder: folder, name: "ffmpeg.json")
        let known = ffmpegState.read()
        let (ffmpeg, encoders, knowledge) = try await InstalledFFmpeg.find(
            file.configuration, environment: environment, known: known)
        let places: ServicePaths
        do {
            places = try ServicePaths(file.configuration, environment: environment)
        } catch {
            throw error as? Failure ?? Failure.atRunTime(error)
        }
        defer { places.remove() }
        for notice in file.notices { logger.warning("\(notice)") }
        for notice in MissingEncoders.notices(of: file, encoders) { logger.warning("\(notice)") }
        logger.notice(
            "starting",
            metadata: ["version": "\(Streambox.version)", "ffmpeg": "\(ffmpeg.version)", "config": "\(file.name)"])

        let state = StateFile<StoppedOutputs>(folder: folder, name: "stopped.json")
        let encoderState = StateFile<[String: String]>(folder: folder, name: "encoders.json")
        let usedBefore = encoderState.read() ?? [:]
        let keeper = EncoderManager(
            encoders, order: file.configuration.encoders.order, lastGood: usedBefore,
            trial: EncoderTrial(ffmpeg: ffmpeg, environment: environment), logger: logger)
        var context = ServiceContext(
            ffmpeg: ffmpeg, encoders: keeper, runtime: FilePath(places.runtime), environment: environment,
            secrets: secrets, logger: logger)
        context.slates = folder.map {
            SlateStore(folder: $0 + "/slates", channels: file.configuration.channels.map(\.name))
        }
        context.timelineStart = timelineStart.map { Int64($0 * 90_000) }
        context.encoderLifetime = encoderLifetime.map { .seconds($0) }
        context.presetPause = presetPause.map { .seconds($0) }
        if let processorTimes { context.processorTimes = processorTimes }
        let supervisor = Supervisor(file.configuration, stopped: state.read() ?? StoppedOutputs(), context: context)
        let manager = ServiceManager(environment: environment)
        let problems = ProblemBoard()
        let start = StartTime()
        let status = SharedStatus {
            var snapshot = await supervisor.snapshot(
                version: Streambox.version, started: start.timestamp, process: OwnProcess.figures())
            // What concerns the service itself comes first.
            snapshot.problems = problems.problems + snapshot.problems
            return snapshot
        }
        let publication = StatusService(
            file.configuration.status, status: status, problems: problems, disk: context.disk, logger: logger)
        let gaps = FFmpegGaps(ffmpeg: ffmpeg.capabilities, problems: problems, logger: logger)
        let reading = Reload(
            supervisor: supervisor, disk: context.disk, keeper: keeper, gaps: gaps, publication: publication,
            path: config, environment: environment, runtime: places.runtime, secrets: secrets,
            problems: problems, manager: manager, logger: logger)
        let reload = LatestRun { try await reading() }
        let memory = StatePersister(disk: context.disk, problems: problems, logger: logger)
        let handler = ControlHandler(
            supervisor: supervisor, reload: reload, state: state, memory: memory, status: status, logger: logger)
        let control = ControlServer(path: ServicePaths.controlSocket(in: places.runtime), service: handler)
        let socket: ControlServer.Opened
        do {
            socket = try await control.open()
        } catch {
            throw Failure.atRunTime(error)
        }
        do {
            let taps = try await supervisor.prepare()
            try TapFile.write(taps, in: places.runtime)
            announce(file, taps: taps, places: places)
        } catch {
            await control.close(socket)
            throw error as? Failure ?? Failure.atRunTime(error)
        }
        gaps.tell(of: file.configuration)

        // The library would log its own steps at info; nobody who runs a box is helped by them.
        var lifecycleLogger = logger
        lifecycleLogger.logLevel = max(logLevel.level, .error)
        var services: [any Service] = [
            SupervisorService(supervisor: supervisor, manager: manager),
            ReloadService(reload: reload),
            EncoderMemory(keeper: keeper, before: usedBefore, file: encoderState, memory: memory),
            FFmpegCheck(
                ffmpeg: ffmpeg, knowledge: knowledge, isNew: knowledge != known, environment: environment,
                file: ffmpegState, disk: context.disk, status: status, problems: problems, logger: logger),
            ControlService(server: control, socket: socket),
            publication,
        ]
        if let manager { services.append(ManagedService(manager: manager, status: status)) }
        var group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: lifecycleLogger)
        group.maximumGracefulShutdownDuration = .seconds(9)
        try await ServiceGroup(configuration: group).run()
        logger.notice("stopped")
    }

    /// Says what to open and what to push to, for a person at a terminal.
    private func announce(_ file: LoadedConfiguration, taps: [Supervisor.OpenTap], places: ServicePaths) {
        var lines: [String] = []
        for channel in file.configuration.channels {
            for source in channel.sources {
                switch source.kind {
                case .rtmp(let rtmp):
                    lines.append("push to    rtmp://\(rtmp.listen)/\(rtmp.app)/\(file.isDemo ? "demo" : "KEY")")
                case .srt(let srt): lines.append("push to    srt://\(srt.listen)")
                default: break
                }
            }
            for group in channel.groups {
                for target in group.targets {
                    if case .record(let record) = target.destination {
                        lines.append("recording  \(record.folder)/\(target.name)-….ts")
                    }
                }
            }
        }
        if let listen = file.configuration.status.listen {
            lines.append("status     http://\(listen)/api/status   /metrics /healthz /readyz /api/events")
        }
        for tap in taps { lines.append("watch      ffplay \(tap.url)   (\(tap.name))") }
        // Elsewhere a command finds the folder by itself.
        lines.append(
            "look       streambox status"
                + (places.isTemporary ? " --runtime \(places.runtime)" : config.map { " --config \($0)" } ?? ""))
        StandardOutput.tryWrite(
            "streambox \(Streambox.version), \(file.name)\n" + lines.map { "  \($0)\n" }.joined()
                + "  stop       Ctrl-C\n", to: STDOUT_FILENO)
    }
}

/// The supervisor as a service of the process.
private struct SupervisorService: Service {
    let supervisor: Supervisor
    let manager: ServiceManager?

    func run() async {
        await withGracefulShutdownHandler {
            await supervisor.run(heartbeat: heartbeat)
        } onGracefulShutdown: {
            supervisor.stop()
        }
    }

    /// Four in the time that the manager waits for one: a busy moment is no reason to be killed.
    private var heartbeat: Supervisor.Heartbeat? {
        guard let manager, let watchdog = manager.watchdog else { return nil }
        return Supervisor.Heartbeat(every: watchdog / 4) { manager.alive() }
    }
}

/// Reloads at each SIGHUP. Several that come during one reload are answered by one more.
private struct ReloadService: Service {
    let reload: LatestRun<[String]>

    func run() async {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { tasks in
                for await _ in signals {
                    // Failures are already logged.
                    tasks.addTask { _ = try? await reload() }
                }
            }
        }
    }
}

/// Writes down which encoder each group uses, for the next start.
private struct EncoderMemory: Service {
    let keeper: EncoderManager
    /// What the last start left.
    let before: [String: String]
    let file: StateFile<[String: String]>
    let memory: StatePersister

    /// How long the disk may hold up the end of the service: the streams have to go out yet.
    private static let lastPatience = Duration.seconds(1)

    func run() async {
        let written = await cancelWhenGracefulShutdown { () async -> [String: String] in
            var written = before
            for await goods in keeper.goods {
                if await memory.keep(goods, in: file) == nil { written = goods }
                // A device that comes and goes is not to wear out the disk.
                try? await Task.sleep(for: .seconds(5))
            }
            return written
        }
        // What changed since.
        let used = keeper.used
        guard used != written else { return }
        _ = await BlockingIO.wait(atMost: Self.lastPatience) { await memory.keep(used, in: file) }
    }
}

/// The control socket, for as long as the service runs.
private struct ControlService: Service {
    let server: ControlServer
    let socket: ControlServer.Opened

    func run() async {
        await cancelWhenGracefulShutdown { await server.run(socket) }
    }
}
