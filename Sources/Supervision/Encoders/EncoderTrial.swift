import CLinux
import CapabilityProbe
package import EncoderSelection
package import FFmpeg
import Glibc
import SystemPackage

/// Runs trials with the real FFmpeg, and checks the streams that they make.
package struct EncoderTrial: Sendable {
    private let ffmpeg: FFmpegBinary
    private let environment: [String: String]
    /// Runs the processes of the trials. A test replaces it, and runs no process.
    var launcher: any ProcessLauncher = SystemProcessLauncher()

    /// How long a trial may take. A GPU that was asleep needs a second. A GPU that hangs never ends.
    private static let limit = Duration.seconds(4)
    /// How long a trial may take if its process uses the processor, and how long the trial of a software encoder may
    /// take: software has no driver that could hang, and any machine may be slow.
    private static let longest = Duration.seconds(30)

    package init(ffmpeg: FFmpegBinary, environment: [String: String]) {
        self.ffmpeg = ffmpeg
        self.environment = environment
    }

    /// - Parameter catalogue: The devices and encoders that the box has at this moment.
    package func run(_ trial: Trial, _ catalogue: EncoderCatalogue) async -> TrialResult {
        if case .failed(let why) = catalogue.initialStanding(of: trial.candidate) {
            let isForbidden = catalogue.gpus.first { $0.slot == trial.candidate.gpu }?.accessProblem == why.sentence
            return .failed(isForbidden ? .permission : .unsupported, why)
        }
        if trial.job.scales, let recipe = catalogue.recipe(for: trial.candidate, scalesOnGPU: true), recipe.scales {
            let (result, overdue) = await run(recipe, trial, scalesOnGPU: true)
            switch result {
            case .passed: return result
            // The scaler of the GPU may have failed.
            case .failed(.unsupported, _), .failed(.unknown, _), .failed(.crash, _): break
            case .failed(.driverError, _) where overdue == nil: break
            // Scaling in software would not help.
            case .failed: return result
            }
        }
        guard let recipe = catalogue.recipe(for: trial.candidate) else {
            return .failed(.deviceGone, "the device is gone")
        }
        return await run(recipe, trial, scalesOnGPU: false).result
    }

    private func run(_ recipe: any EncoderRecipe, _ trial: Trial, scalesOnGPU: Bool) async -> (
        result: TrialResult, overdue: Overdue?
    ) {
        let stream = FileDescriptor(rawValue: memfd_create("trial", UInt32(MFD_CLOEXEC)))
        guard stream.rawValue >= 0, let end = try? stream.duplicate() else {
            return (.failed(.notStarted, "no memory for a trial"), nil)
        }
        defer { try? stream.close() }
        let ending = await BoundedChild.run(
            TrialCommand(recipe: recipe, job: trial.job).command(for: ffmpeg.capabilities), binary: ffmpeg, stdout: end,
            environment: environment,
            limit: trial.candidate.isSoftware ? Self.longest : Self.limit, extended: Self.longest,
            launcher: launcher)
        let overdue = ending.overdue.map { trial.candidate.isSoftware ? .working : $0 }
        let result = TrialResult(
            ending.exit, of: trial.candidate, overdue: overdue, flaw: TrialProof.flaw(in: stream),
            scalesOnGPU: scalesOnGPU)
        return (result, overdue)
    }
}
