import BoxConfiguration
import DataPath
import FFmpeg
import Synchronization
import SystemPackage

@testable import Supervision

/// What runners need in a test without processes: a script of processes, a clock that the test advances, a data path,
/// and a record of what a source tells its channel.
struct RunnerStage: Sendable {
    let launcher: ScriptedLauncher
    let clock = ManualClock()
    let dataPath = DataPath()
    let context: ServiceContext
    let observed = ObservedSource()

    /// With a channel `main` and a group `hd`, both with empty feeds.
    ///
    /// - Parameter obeys: Whether a child ends at once when it is asked to.
    init(obeys: Bool = true, environment: [String: String] = [:]) async {
        launcher = ScriptedLauncher(obeys: obeys)
        var context = ServiceContext.none()
        context.launcher = SlatelessLauncher(next: launcher)
        context.clock = clock
        context.environment = environment
        self.context = context
        await dataPath.addChannel("main", patience: .seconds(1))
        await dataPath.addGroup("hd")
    }

    /// The context of a driver, whose process is a record of its events.
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
        environment: [String: String], handle: ChildHandle, takes: (@Sendable (LogLine) -> Bool)?,
        events: @escaping @Sendable (ChildEvent) -> Void
    ) async -> ChildExit {
        guard command.role == .slate else {
            return await next.run(
                command, binary: binary, stdin: stdin, stdout: stdout, environment: environment, handle: handle,
                takes: takes, events: events)
        }
        try? stdin?.close()
        try? stdout?.close()
        return ChildExit(status: .exited(1), asked: false, cause: .unsupported, log: LogExcerpt())
    }
}
