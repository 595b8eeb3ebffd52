import Configuration
import EncoderSelection
import FFmpeg

/// The FFmpeg that a configuration names, and the encoders that it has.
enum InstalledFFmpeg {
    /// - Throws: ``Failure``, when it is missing, too old or something else.
    static func find(
        _ configuration: BoxConfiguration, environment: [String: String]
    ) async throws -> (FFmpegBinary, EncoderCatalogue) {
        do {
            let binary = try await FFmpegBinary.locate(configuration.ffmpeg, environment: environment)
            return (binary, EncoderCatalogue(listed: try await binary.listEncoders(environment: environment)))
        } catch {
            throw Failure.inConfiguration(error)
        }
    }
}
