import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import Synchronization
import SystemPackage
import TestSupport

@testable import Supervision

/// A channel `main` with a group `hd`, for runners whose processes and whose clock a test plays.
///
/// The data path is real, and both feeds are empty. Its watch is not started, so it reports no stall.
struct RunnerRig: Sendable {
    let clock: ManualClock
    let launcher: ScriptedLauncher
    let dataPath = DataPath()
    let context: ServiceContext
    let observed = ObservedSource()

    private init(
        _ context: ServiceContext, _ launcher: ScriptedLauncher, _ clock: ManualClock,
        runs: any ProcessLauncher
    ) async {
        self.clock = clock
        self.launcher = launcher
        var context = context
        context.launcher = runs
        context.clock = clock
        self.context = context
        await dataPath.addChannel("main", patience: .seconds(600), slateDelay: .seconds(600))
        await dataPath.addGroup("hd")
    }

    /// Makes a rig whose FFmpeg has the software encoders.
    ///
    /// - Parameters:
    ///   - runtime: The folder for slates.
    ///   - obeys: Whether a process ends at once when it is asked to.
    static func withEncoders(runtime: String = "/nowhere", obeys: Bool = true) async -> RunnerRig {
        let (launcher, clock) = (ScriptedLauncher(obeys: obeys), ManualClock())
        let ffmpeg = FFmpegBinary.nowhere
        var trial = EncoderTrial(ffmpeg: ffmpeg, environment: [:])
        trial.launcher = launcher
        let encoders = EncoderManager(
            EncoderCatalogue(listed: ["libx264", "libx265"]), trial: trial, logger: ServiceContext.silent, clock: clock)
        let context = ServiceContext(
            ffmpeg: ffmpeg, encoders: encoders, runtime: FilePath(runtime), environment: [:],
            logger: ServiceContext.silent)
        return await RunnerRig(context, launcher, clock, runs: launcher)
    }

    /// Makes a rig without any encoder, in which no slate can be drawn.
    ///
    /// - Parameter obeys: Whether a process ends at once when it is asked to.
    static func withoutEncoders(obeys: Bool = true, environment: [String: String] = [:]) async -> RunnerRig {
        let launcher = ScriptedLauncher(obeys: obeys)
        var context = ServiceContext.none()
        context.environment = environment
        return await RunnerRig(context, launcher, ManualClock(), runs: SlatelessLauncher(next: launcher))
    }

    /// Ends the processes that still run, as processes do whose input has ended.
    func endProcesses() { for launch in launcher.launches { launch.exit(.exited(0)) } }

    /// The context of a driver, whose process only records its events.
    func source(_ kind: SourceKind, process: any Supervised) -> SourceContext {
        let source = SourceConfiguration(kind: kind, position: 0)
        return SourceContext(
            source, priority: 0, of: ChannelConfiguration(name: "main", sources: [source]), process: process,
            service: context, dataPath: dataPath, observer: observed.observer)
    }

    func sourceRunner(_ kind: SourceKind) -> SourceRunner {
        let source = SourceConfiguration(kind: kind, position: 0)
        return SourceRunner(
            source, priority: 0, of: ChannelConfiguration(name: "main", sources: [source]), context: context,
            dataPath: dataPath, observer: observed.observer)
    }
}

extension ScriptedLauncher.Launch {
    func crash() { exit(.signalled(11), .crash) }
}

/// Records whether a source delivers.
final class ObservedSource: Sendable {
    private let reports = Mutex<[Bool]>([])
    var delivers: [Bool] { reports.withLock { $0 } }

    var observer: SourceObserver {
        SourceObserver(
            delivers: { delivers in self.reports.withLock { $0.append(delivers) } }, onAir: { _ in }, changed: { _ in })
    }
}

/// Fails to draw slates, and gives every other command to the script.
private struct SlatelessLauncher: ProcessLauncher {
    let next: ScriptedLauncher

    func run(
        _ command: FFmpegCommand, binary: FFmpegBinary, stdin: FileDescriptor?, stdout: FileDescriptor?,
        environment: [String: String], handle: ChildHandle, consumesLine: (@Sendable (LogLine) -> Bool)?,
        onEvent: @escaping @Sendable (ChildEvent) -> Void
    ) async -> ChildExit {
        guard command.role == .slate else {
            return await next.run(
                command, binary: binary, stdin: stdin, stdout: stdout, environment: environment, handle: handle,
                consumesLine: consumesLine, onEvent: onEvent)
        }
        try? stdin?.close()
        try? stdout?.close()
        return ChildExit(status: .exited(1), asked: false, cause: .unsupported, log: LogExcerpt())
    }
}
