import BoxConfiguration
import CapabilityProbe
import EncoderSelection
import FFmpeg
import Supervision
import SystemSupport

/// The FFmpeg that a configuration names, the encoders that it has, and the devices that they could use.
enum InstalledFFmpeg {
    /// - Parameter known: What the last start found out of it: asking costs a tenth of a second, and much more while a
    ///   box boots.
    /// - Throws: ``Failure``, when it is missing, too old or something else.
    static func find(
        _ configuration: BoxConfiguration, environment: [String: String], known: FFmpegKnowledge? = nil
    ) async throws -> (FFmpegBinary, EncoderCatalogue, FFmpegKnowledge?) {
        async let found = devices()
        let located: FFmpegBinary.Located
        do {
            located = try await FFmpegBinary.locate(configuration.ffmpeg, environment: environment, known: known)
        } catch {
            throw Failure.inConfiguration(error)
        }
        let devices = await found
        let encoders = EncoderCatalogue(
            listed: located.binary.capabilities.encoders, gpus: devices.gpus, boards: devices.boards)
        return (located.binary, encoders, located.knowledge)
    }

    /// What encodes here; none where a driver does not say so in time: the service looks again, and nobody waits for
    /// it.
    static func devices() async -> (gpus: [GPU], boards: [V4L2Encoder]) {
        async let gpus = BlockingIO.run(atMost: .milliseconds(500)) { GPUList.read() }
        async let boards = BlockingIO.run(atMost: .milliseconds(500)) { V4L2EncoderList.read() }
        return (await gpus ?? [], await boards ?? [])
    }
}
