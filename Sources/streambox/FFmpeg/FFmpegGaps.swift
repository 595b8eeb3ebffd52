import BoxConfiguration
import FFmpeg
import Logging
import Status
import Supervision
import Synchronization

/// Reports the abilities that the configuration needs and that the FFmpeg in use lacks. Each is a problem until a
/// reload no longer needs it.
final class FFmpegGaps: Sendable {
    private let ffmpeg: FFmpegCapabilities
    private let problems: ProblemBoard
    private let logger: Logger
    /// The subjects of the problems that are reported now.
    private let reported = Mutex<Set<String>>([])

    init(ffmpeg: FFmpegCapabilities, problems: ProblemBoard, logger: Logger) {
        self.ffmpeg = ffmpeg
        self.problems = problems
        self.logger = logger
    }

    /// Replaces the problems of the previous configuration by those of this one.
    func report(for configuration: BoxConfiguration) {
        let missing = FFmpegNeeds.missing(for: configuration, in: ffmpeg)
        let subjects = Set(missing.map { Self.subject(of: $0) })
        let gone = reported.withLock { reported in
            defer { reported = subjects }
            return reported.subtracting(subjects)
        }
        for subject in gone.sorted() where problems.clear(.ffmpegUnsupported, subject: subject) {
            logger.notice(
                "the problem is over",
                metadata: ["problem": "\(Problem.Kind.ffmpegUnsupported.rawValue)", "subject": "\(subject)"])
        }
        for ability in missing {
            problems.reportUnsupported(
                ability.sentence(ffmpeg: "\(ffmpeg.version)"), subject: Self.subject(of: ability), logger: logger)
        }
    }

    /// Names the ability besides the part that needs it, because one source may need several that are missing.
    private static func subject(of ability: MissingAbility) -> String { "\(ability.subject), \(ability.missing)" }
}

extension ProblemBoard {
    /// Reports something that FFmpeg lacks or refuses, and logs it if it is new.
    func reportUnsupported(_ sentence: String, subject: String, logger: Logger) {
        let problem = Problem(.ffmpegUnsupported, subject: subject, sentence: sentence)
        guard report(problem) else { return }
        logger.error(
            "FFmpeg cannot do what the service needs", metadata: ["subject": "\(subject)", "reason": "\(sentence)"])
    }
}
