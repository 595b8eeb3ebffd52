import BoxConfiguration
import FFmpeg
import Supervision

/// An FFmpeg for commands that end at once, with what is known of it from before: asking it all takes a second, and
/// checking it another.
///
/// What is found out is kept in the state folder of whoever asks, as the service keeps it in its own.
struct KnownFFmpeg {
    let binary: FFmpegBinary
    private let knowledge: FFmpegKnowledge?
    private let file: StateFile<FFmpegKnowledge>
    private let environment: [String: String]
    /// A folder that the configuration names is the service's to make and to write to, and whoever asks may be another
    /// user.
    private let isKept: Bool

    /// - Throws: `FFmpegBinaryError`
    init(_ configuration: BoxConfiguration, environment: [String: String]) async throws(FFmpegBinaryError) {
        self.environment = environment
        isKept = configuration.state == nil
        file = StateFile(folder: ServicePaths.state(configuration, environment: environment), name: "ffmpeg.json")
        let before = file.read()
        let located = try await FFmpegBinary.locate(configuration.ffmpeg, environment: environment, known: before)
        (binary, knowledge) = (located.binary, located.knowledge)
        if isKept, let knowledge, knowledge != before { try? file.write(knowledge) }
    }

    /// What it refuses of the service's command lines.
    func findings() async -> FFmpegSelfCheck.Findings {
        if let refused = knowledge?.refused(by: Streambox.version) { return FFmpegSelfCheck.Findings(refused: refused) }
        let findings = await FFmpegSelfCheck(ffmpeg: binary, environment: environment).run()
        if isKept, let knowledge, findings.isComplete {
            try? file.write(knowledge.checked(findings.refused, by: Streambox.version))
        }
        return findings
    }
}
