import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import SystemPackage
import TestSupport

@testable import Supervision

/// A channel `main` with a group `hd`, for runners whose processes and whose clock a test plays.
///
/// The data path is real. Its watch is not started, so it reports no stall.
struct RunnerRig {
    let clock = ManualClock()
    let launcher: ScriptedLauncher
    let dataPath = DataPath()
    let context: ServiceContext

    /// - Parameters:
    ///   - runtime: The folder for slates.
    ///   - obeys: Whether a process ends at once when it is asked to.
    init(runtime: String = "/nowhere", obeys: Bool = true) async {
        launcher = ScriptedLauncher(obeys: obeys)
        let ffmpeg = FFmpegBinary(
            path: "/nowhere/ffmpeg", capabilities: .complete(FFmpegVersion(output: "ffmpeg version 5.1.6")!))
        var trial = EncoderTrial(ffmpeg: ffmpeg, environment: [:])
        trial.launcher = launcher
        let encoders = EncoderManager(
            EncoderCatalogue(listed: ["libx264", "libx265"]), trial: trial, logger: ServiceContext.silent, clock: clock)
        var context = ServiceContext(
            ffmpeg: ffmpeg, encoders: encoders, runtime: FilePath(runtime), environment: [:],
            logger: ServiceContext.silent)
        context.launcher = launcher
        context.clock = clock
        self.context = context
        await dataPath.addChannel("main", patience: .seconds(600), slateDelay: .seconds(600))
        await dataPath.addGroup("hd")
    }

    /// Ends the processes that still run, as processes do whose input has ended.
    func endProcesses() { for launch in launcher.launches { launch.exit(.exited(0)) } }
}

extension ScriptedLauncher.Launch {
    func crash() { exit(.signalled(11), .crash) }
}
