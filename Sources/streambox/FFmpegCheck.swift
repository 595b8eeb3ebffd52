import Configuration
import FFmpeg
import Logging
import ServiceLifecycle
import Status
import Supervision

/// What the installed FFmpeg does not have, or refuses, of what a configuration needs: problems for as long as the service runs.
struct FFmpegCheck: Service {
    let ffmpeg: FFmpegBinary
    /// What the last start found out, or this one so far; `nil` for an FFmpeg that has to be asked each time.
    let knowledge: FFmpegKnowledge?
    let isNew: Bool
    let configuration: BoxConfiguration
    let environment: [String: String]
    let file: StateFile<FFmpegKnowledge>
    let problems: ProblemBoard
    let logger: Logger

    func run() async {
        for missing in FFmpegNeeds.missing(for: configuration, in: ffmpeg.capabilities) {
            report(missing.sentence(ffmpeg: "\(ffmpeg.version)"), of: missing.subject + ", " + missing.missing)
        }
        let known = knowledge?.refused(by: Streambox.version)
        let refused: [RefusedRole]
        if let known { refused = known } else { refused = await FFmpegSelfCheck(ffmpeg: ffmpeg, environment: environment).run() }
        for role in refused { report(role.sentence(ffmpeg: "\(ffmpeg.version)"), of: "ffmpeg") }
        // Where it cannot be written, the next start asks again.
        if let knowledge, isNew || known == nil {
            let checked = knowledge.checked(refused, by: Streambox.version)
            await Offload.run { try? file.write(checked) }
        }
        logger.debug("FFmpeg is checked")
        // A service that returns ends the others.
        try? await gracefulShutdown()
    }

    private func report(_ sentence: String, of subject: String) {
        guard problems.report(Problem(.ffmpegUnsupported, subject: subject, sentence: sentence)) else { return }
        logger.error("\(sentence)", metadata: ["subject": "\(subject)"])
    }
}
