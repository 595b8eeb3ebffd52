import ArgumentParser
import BoxConfiguration
import CapabilityProbe
import FFmpeg
import FoundationEssentials
import Supervision

/// What would run, here and now.
struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the exact FFmpeg command lines that would run here, secrets masked, and why.")

    @Argument(help: "The configuration file.")
    var file: String

    @Flag(help: "One JSON object for programs.")
    var json = false

    func run() async throws {
        let environment = processEnvironment()
        let loaded = try LoadedConfiguration(file, environment: environment)
        let (ffmpeg, encoders, _) = try await InstalledFFmpeg.find(loaded.configuration, environment: environment)
        async let cards = CaptureSurvey().look()
        let pool = await EncoderSurvey.run(
            loaded.configuration, encoders, trial: EncoderTrial(ffmpeg: ffmpeg, environment: environment))
        let plan = ServicePlan(
            loaded.configuration, ffmpeg: ffmpeg, encoders: pool, cards: await cards ?? [], environment: environment)
        guard json else { return print(plan.text) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(plan), as: UTF8.self))
    }
}
