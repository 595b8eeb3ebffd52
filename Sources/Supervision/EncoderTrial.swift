import Configuration
import EncoderSelection
import FFmpeg
import Synchronization
import SystemPackage
import TransportStream

/// Runs trial encodes with the real FFmpeg.
struct EncoderTrial: Sendable {
    let box: Box
    let catalogue: EncoderCatalogue

    /// How long a trial may take. A GPU that was asleep needs a second; one that hangs needs for ever.
    private static let limit = Duration.seconds(5)

    /// Shared by the trial and its limit.
    private final class Overdue: Sendable {
        let flag = Mutex(false)
    }

    /// Tries a candidate at what a group asks for.
    ///
    /// - Parameter format: What the source sends, as far as it is known.
    func run(_ candidate: EncoderCandidate, for wish: VideoEncoding, format: VideoFormat?) async -> TrialResult {
        switch catalogue.initialStanding(of: candidate) {
        case .failed(let why): return .failed(.unsupported, why)
        case .usable, .untried, .quarantined: break
        }
        guard let recipe = catalogue.recipe(for: candidate) else { return .failed(.deviceGone, "\(candidate): there is no such device here") }
        let size = format.map { FrameSize(width: $0.width, height: $0.height) } ?? wish.size.map { FrameSize($0) } ?? FrameSize(width: 1280, height: 720)
        let rate = format?.frameRate.map { FFmpeg.FrameRate($0.numerator, $0.denominator) } ?? wish.rate.map { FFmpeg.FrameRate($0) } ?? FFmpeg.FrameRate(30)
        let settings = Commands.settings(wish, size: nil, arriving: rate)
        let child = ChildHandle()
        let overdue = Overdue()
        let exit = await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                guard await (try? ContinuousClock().sleep(for: Self.limit)) != nil else { return }
                overdue.flag.withLock { $0 = true }
                child.stop(.now)
            }
            let exit = await ChildProcess.run(
                TrialCommand(recipe: recipe, settings: settings, size: size, rate: rate).command(), binary: box.ffmpeg, stdin: nil, stdout: nil,
                secretsFolder: box.runtime.string, environment: box.environment, handle: child
            ) { _ in }
            tasks.cancelAll()
            return exit
        }
        return TrialResult(exit, of: candidate, isOverdue: overdue.flag.withLock { $0 })
    }
}
