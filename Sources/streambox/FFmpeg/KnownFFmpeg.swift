import BoxConfiguration
import FFmpeg
import Supervision

/// An FFmpeg for commands that end at once, with the results of earlier questions: asking it everything takes a second,
/// and checking it another.
///
/// The results are kept in the state folder of the user who runs the command, as the service keeps its own.
struct KnownFFmpeg {
    let binary: FFmpegBinary
    private let knowledge: FFmpegKnowledge?
    private let file: StateFile<FFmpegKnowledge>
    private let environment: [String: String]
    /// False for a folder that the configuration names: the service creates it and writes to it, and the user of the
    /// command may be another one.
    private let isKept: Bool

    /// - Throws: `FFmpegBinaryError`
    init(_ configuration: BoxConfiguration, environment: [String: String]) async throws(FFmpegBinaryError) {
        self.environment = environment
        isKept = configuration.state == nil
        file = StateFiles(configuration, environment: environment).ffmpeg
        let before = file.read()
        let located = try await FFmpegBinary.locate(configuration.ffmpeg, environment: environment, known: before)
        (binary, knowledge) = (located.binary, located.knowledge)
        if isKept, let knowledge, knowledge != before { try? file.write(knowledge) }
    }

    /// The service's command lines that this FFmpeg refuses.
    func findings() async -> FFmpegSelfCheck.Findings {
        if let refused = knowledge?.refused(by: Streambox.version) { return FFmpegSelfCheck.Findings(refused: refused) }
        let findings = await FFmpegSelfCheck(ffmpeg: binary, environment: environment).run()
        if isKept, let knowledge, findings.isComplete {
            try? file.write(knowledge.checked(findings.refused, by: Streambox.version))
        }
        return findings
    }
}
