import ArgumentParser
import BoxConfiguration
import CapabilityProbe
import EncoderSelection
import FFmpeg
import Supervision

/// Validates a configuration file and prints its content as the service understands it.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Validates a configuration file and prints what it says.")

    @Argument(help: "The configuration file.")
    var file: String

    func run() async throws {
        let environment = processEnvironment()
        let loaded = try LoadedConfiguration(file, environment: environment)
        var missing: [String] = []
        do {
            let cached = try await CachedFFmpeg(loaded.configuration, environment: environment)
            let ffmpeg = cached.binary
            let devices = await InstalledFFmpeg.devices()
            let encoders = EncoderCatalogue(
                listed: ffmpeg.capabilities.encoders, gpus: devices.gpus, v4l2Encoders: devices.v4l2Encoders)
            missing = MissingEncoders.notices(of: loaded, encoders)
            let version = "\(ffmpeg.version)"
            missing += FFmpegNeeds.missing(for: loaded.configuration, in: ffmpeg.capabilities).map {
                "\($0.subject): \($0.sentence(ffmpeg: version))"
            }
            let findings = await cached.findings()
            missing += findings.refused.map { $0.sentence(ffmpeg: version) }
            if let message = findings.incompleteMessage(version: version) { missing.append(message) }
        } catch  where loaded.configuration.ffmpeg != nil {
            throw Failure.inConfiguration(error)
        } catch {
            // Without `ffmpeg:` the service takes FFmpeg from its own PATH, which may differ from this one.
        }
        missing += MissingAuthorities.notices(for: loaded.configuration)
        print(ConfigurationSummary.render(loaded.configuration))
        for notice in loaded.notices { print("\(notice)") }
        for notice in missing { print(notice) }
        let hasCapture = loaded.configuration.channels.flatMap(\.sources).contains {
            if case .capture = $0.kind { true } else { false }
        }
        guard hasCapture, let cards = await CaptureSurvey().listCards() else { return }
        for notice in CardNotices.of(loaded, cards) { print(notice) }
    }
}
