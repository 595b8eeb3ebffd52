import BoxConfiguration
import FFmpeg
import Logging
import ServiceLifecycle
import Status
import Supervision
import Synchronization

/// What the FFmpeg in use does not have of what the configuration needs: problems until a reload needs it no more.
final class FFmpegGaps: Sendable {
    private let ffmpeg: FFmpegCapabilities
    private let problems: ProblemBoard
    private let logger: Logger
    /// The subjects of those that were told last.
    private let told = Mutex<Set<String>>([])

    init(ffmpeg: FFmpegCapabilities, problems: ProblemBoard, logger: Logger) {
        self.ffmpeg = ffmpeg
        self.problems = problems
        self.logger = logger
    }

    /// Tells those of a configuration in place of those before.
    func tell(of configuration: BoxConfiguration) {
        let missing = FFmpegNeeds.missing(for: configuration, in: ffmpeg)
        let subjects = Set(missing.map { Self.subject(of: $0) })
        let gone = told.withLock { told in
            defer { told = subjects }
            return told.subtracting(subjects)
        }
        for subject in gone.sorted() where problems.clear(.ffmpegUnsupported, subject: subject) {
            logger.notice(
                "the problem is over",
                metadata: ["problem": "\(Problem.Kind.ffmpegUnsupported.rawValue)", "subject": "\(subject)"])
        }
        for ability in missing {
            problems.tell(ability.sentence(ffmpeg: "\(ffmpeg.version)"), of: Self.subject(of: ability), logger: logger)
        }
    }

    /// One source may lack several parts.
    private static func subject(of ability: MissingAbility) -> String { "\(ability.subject), \(ability.missing)" }
}

/// What the FFmpeg in use refuses of the service's command lines: problems for as long as the service runs.
struct FFmpegCheck: Service {
    let ffmpeg: FFmpegBinary
    /// What the last start found out, or this one so far; `nil` for an FFmpeg that has to be asked each time.
    let knowledge: FFmpegKnowledge?
    let isNew: Bool
    let environment: [String: String]
    let file: StateFile<FFmpegKnowledge>
    let disk: Disk
    let status: SharedStatus
    let problems: ProblemBoard
    let logger: Logger

    /// How long the check waits for the groups to be on air: its processes would take the processor from theirs.
    private static let patience = Duration.seconds(5)

    func run() async {
        // At once: a box that is switched off a moment later knows its FFmpeg at its next start.
        if let knowledge, isNew { await keep(knowledge) }
        let known = knowledge?.refused(by: Streambox.version)
        let findings: FFmpegSelfCheck.Findings
        if let known {
            findings = FFmpegSelfCheck.Findings(refused: known)
        } else {
            let check = FFmpegSelfCheck(ffmpeg: ffmpeg, environment: environment)
            findings = await cancelWhenGracefulShutdown {
                let reason = await waitForGroups()
                logger.debug("checking FFmpeg", metadata: ["because": "\(reason)"])
                return await check.run()
            }
        }
        for role in findings.refused {
            problems.tell(role.sentence(ffmpeg: "\(ffmpeg.version)"), of: "ffmpeg, \(role.refused)", logger: logger)
        }
        if let doubt = findings.doubt(ffmpeg: "\(ffmpeg.version)"), !Task.isShuttingDownGracefully {
            logger.warning("\(doubt)")
        }
        // A check that was not made to its end is made again by the next start; so is one that cannot be written down.
        if let knowledge, known == nil, findings.isComplete {
            let learnt = knowledge.checked(findings.refused, by: Streambox.version)
            await keep(learnt)
        }
        logger.debug("FFmpeg is checked")
        // A service that returns ends the others.
        try? await gracefulShutdown()
    }

    /// A disk that does not answer holds up no stop.
    private func keep(_ knowledge: FFmpegKnowledge) async {
        _ = await cancelWhenGracefulShutdown { try? await file.store(knowledge, by: disk) }
    }

    /// - Returns: Why the wait is over, for the log.
    private func waitForGroups() async -> String {
        let start = ContinuousClock.now
        while !Task.isCancelled, ContinuousClock.now - start < Self.patience {
            if let snapshot = await status.snapshot(within: .seconds(1)) {
                if snapshot.isWhole { return "the groups are on air" }
                if hasRefusal(snapshot) { return "a process was refused an option" }
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return "the groups take long"
    }

    /// A process has ended because FFmpeg refuses its command line: its group will not come on air, and the
    /// operator waits for the reason.
    ///
    /// What FFmpeg lacks is on the board from the start, and the groups that do not need it come on air.
    private func hasRefusal(_ snapshot: BoxSnapshot) -> Bool {
        let known = problems.problems
        return snapshot.problems.contains { $0.problem == .ffmpegUnsupported && !known.contains($0) }
    }
}

extension ProblemBoard {
    /// Reports what is amiss with FFmpeg, and logs it where it is news.
    fileprivate func tell(_ sentence: String, of subject: String, logger: Logger) {
        guard report(Problem(.ffmpegUnsupported, subject: subject, sentence: sentence)) else { return }
        logger.error("\(sentence)", metadata: ["subject": "\(subject)"])
    }
}
