import ArgumentParser
import BoxConfiguration
import CapabilityProbe
import FFmpeg
import Supervision

/// Prints the command lines that the service would run on this box now.
struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the exact FFmpeg command lines that would run here, secrets masked, and why.")

    @Argument(help: "The configuration file.")
    var file: String

    @Flag(help: "Prints one JSON object for programs.")
    var json = false

    func run() async throws {
        let environment = processEnvironment()
        let loaded = try LoadedConfiguration(file, environment: environment)
        let ffmpeg = try await InstalledFFmpeg.find(loaded.configuration, environment: environment)
        async let cards = CaptureSurvey().listCards()
        let pool = await EncoderSurvey.run(
            loaded.configuration, ffmpeg.encoders,
            trial: EncoderTrial(ffmpeg: ffmpeg.binary, environment: environment))
        let plan = ServicePlan(
            loaded.configuration, ffmpeg: ffmpeg.binary, encoders: pool, cards: await cards ?? [],
            environment: environment)
        print(json ? try PrettyJSON.text(of: plan) : plan.text)
    }
}
