import BoxConfiguration
import FFmpeg
import Supervision

/// The installed FFmpeg, as short commands such as `check` use it. What it can do (one second to find out) and which
/// command lines it refuses (another second) come from a file if an earlier command stored them there.
///
/// The file is in the state folder that the configuration names, else in that of the user who runs the command.
struct CachedFFmpeg {
    let binary: FFmpegBinary
    private let knowledge: FFmpegKnowledge?
    private let file: StateFile<FFmpegKnowledge>
    private let environment: [String: String]
    /// Whether this command may store results. It may not if the configuration names the state folder: that folder
    /// belongs to the service, and the command may run as another user.
    private let mayStore: Bool

    /// - Throws: `FFmpegBinaryError`
    init(_ configuration: BoxConfiguration, environment: [String: String]) async throws(FFmpegBinaryError) {
        self.environment = environment
        mayStore = configuration.state == nil
        file = StateFiles(configuration, environment: environment).ffmpeg
        let before = file.read()
        let located = try await FFmpegBinary.locate(configuration.ffmpeg, environment: environment, known: before)
        (binary, knowledge) = (located.binary, located.knowledge)
        if mayStore, let knowledge, knowledge != before { try? file.write(knowledge) }
    }

    /// The service's command lines that this FFmpeg refuses.
    func findings() async -> FFmpegSelfCheck.Findings {
        if let refused = knowledge?.refusals(foundBy: Streambox.version) {
            return FFmpegSelfCheck.Findings(refused: refused)
        }
        let findings = await FFmpegSelfCheck(ffmpeg: binary, environment: environment).run()
        if mayStore, let knowledge, findings.isComplete {
            try? file.write(knowledge.addingRefusals(findings.refused, foundBy: Streambox.version))
        }
        return findings
    }
}
