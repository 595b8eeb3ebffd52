import FFmpeg
import Logging
import ServiceLifecycle
import Status
import Supervision

/// Reports the service's command lines that the FFmpeg in use refuses. Each is a problem for as long as the service
/// runs.
struct FFmpegCheck: Service {
    let ffmpeg: FFmpegBinary
    /// What is known of the FFmpeg, from the last start or from this one so far. `nil` for an FFmpeg that has to be
    /// asked at each start.
    let knowledge: FFmpegKnowledge?
    /// Whether the knowledge comes from this start, and is not in the file yet.
    let isNew: Bool
    let environment: [String: String]
    let file: StateFile<FFmpegKnowledge>
    let disk: Disk
    let status: SharedStatus
    let problems: ProblemBoard
    let logger: Logger

    /// How long the check waits for the groups to be on air: its processes would take processor time from theirs.
    private static let patience = Duration.seconds(5)

    func run() async {
        // Stored first, so that the next start has it even if the box is switched off a moment later.
        if let knowledge, isNew { await keep(knowledge) }
        let known = knowledge?.refusals(foundBy: Streambox.version)
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
            problems.reportUnsupported(
                role.sentence(ffmpeg: "\(ffmpeg.version)"), subject: "ffmpeg, \(role.refused)", logger: logger)
        }
        if let message = findings.incompleteMessage(version: "\(ffmpeg.version)"), !Task.isShuttingDownGracefully {
            logger.warning("the check of FFmpeg is incomplete", metadata: ["reason": "\(message)"])
        }
        // The next start repeats a check that was interrupted, or whose result cannot be stored.
        if let knowledge, known == nil, findings.isComplete {
            let learnt = knowledge.addingRefusals(findings.refused, foundBy: Streambox.version)
            await keep(learnt)
        }
        logger.debug("FFmpeg is checked")
        // Waits for the shutdown: a return from `run` would end all other services too.
        try? await gracefulShutdown()
    }

    /// Stores the knowledge. A disk that does not answer does not delay a stop.
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

    /// Whether a process has ended because FFmpeg refuses its command line: its group will not come on air, and the
    /// operator waits for the reason.
    ///
    /// Abilities that FFmpeg lacks do not count here: they are reported from the start, and the groups that do not need
    /// them come on air.
    private func hasRefusal(_ snapshot: BoxSnapshot) -> Bool {
        let known = problems.problems
        return snapshot.problems.contains { $0.problem == .ffmpegUnsupported && !known.contains($0) }
    }
}
