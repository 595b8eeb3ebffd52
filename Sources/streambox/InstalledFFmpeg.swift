import CapabilityProbe
import Configuration
import EncoderSelection
import FFmpeg
import Supervision

/// The FFmpeg that a configuration names, the encoders that it has, and the devices that they could use.
enum InstalledFFmpeg {
    /// - Throws: ``Failure``, when it is missing, too old or something else.
    static func find(
        _ configuration: BoxConfiguration, environment: [String: String]
    ) async throws -> (FFmpegBinary, EncoderCatalogue) {
        async let found = devices()
        let (binary, encoders) = try await listing(configuration, environment: environment)
        let devices = await found
        return (binary, EncoderCatalogue(listed: encoders, gpus: devices?.gpus ?? [], boards: devices?.boards ?? []))
    }

    /// Without the devices.
    static func listing(_ configuration: BoxConfiguration, environment: [String: String]) async throws -> (FFmpegBinary, Set<String>) {
        do {
            return try await FFmpegBinary.locateListing(configuration.ffmpeg, environment: environment)
        } catch {
            throw Failure.inConfiguration(error)
        }
    }

    /// What encodes here; `nil` where a driver does not say so in time: the service looks again, and nobody waits for it.
    static func devices() async -> (gpus: [GPU], boards: [V4L2Encoder])? {
        await Offload.run(atMost: .milliseconds(500)) { (GPUList.read(), V4L2EncoderList.read()) }
    }
}
