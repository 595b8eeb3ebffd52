import CapabilityProbe
import Configuration
import EncoderSelection
import FFmpeg

/// The FFmpeg that a configuration names, the encoders that it has, and the GPUs that they could use.
enum InstalledFFmpeg {
    /// - Throws: ``Failure``, when it is missing, too old or something else.
    static func find(
        _ configuration: BoxConfiguration, environment: [String: String]
    ) async throws -> (FFmpegBinary, EncoderCatalogue) {
        do {
            let (binary, encoders) = try await FFmpegBinary.locateListing(configuration.ffmpeg, environment: environment)
            return (binary, EncoderCatalogue(listed: encoders, gpus: GPUList.read()))
        } catch {
            throw Failure.inConfiguration(error)
        }
    }
}
