import BoxConfiguration
import CapabilityProbe
import EncoderSelection
import FFmpeg
import Supervision
import SystemSupport

/// The FFmpeg that a configuration names, the encoders that it has, and the devices that they could use.
struct InstalledFFmpeg {
    let binary: FFmpegBinary
    let encoders: EncoderCatalogue
    /// What is known of the FFmpeg. `nil` for an FFmpeg that has to be asked at each start.
    let knowledge: FFmpegKnowledge?

    /// Finds FFmpeg and asks it what it can do.
    ///
    /// - Parameter known: The knowledge of the last start. Asking FFmpeg again costs a tenth of a second, and much more
    ///   while a box boots.
    /// - Throws: ``Failure`` when FFmpeg is missing, too old or another program.
    static func find(
        _ configuration: BoxConfiguration, environment: [String: String], known: FFmpegKnowledge? = nil
    ) async throws -> InstalledFFmpeg {
        async let found = devices()
        let located: FFmpegBinary.Located
        do {
            located = try await FFmpegBinary.locate(configuration.ffmpeg, environment: environment, known: known)
        } catch {
            throw Failure.inConfiguration(error)
        }
        let devices = await found
        let encoders = EncoderCatalogue(
            listed: located.binary.capabilities.encoders, gpus: devices.gpus, v4l2Encoders: devices.v4l2Encoders)
        return InstalledFFmpeg(binary: located.binary, encoders: encoders, knowledge: located.knowledge)
    }

    /// The GPUs and V4L2 devices that can encode here. A list whose driver does not answer in time is empty: the
    /// service lists the devices again later, and the start does not wait.
    static func devices() async -> (gpus: [GPU], v4l2Encoders: [V4L2Encoder]) {
        async let gpus = BlockingIO.run(atMost: .milliseconds(500)) { GPUList.read() }
        async let v4l2Encoders = BlockingIO.run(atMost: .milliseconds(500)) { V4L2EncoderList.read() }
        return (await gpus ?? [], await v4l2Encoders ?? [])
    }
}
