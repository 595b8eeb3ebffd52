import ArgumentParser
import Configuration
import FFmpeg

/// Validates a file and says what it understood.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Validates a configuration file and prints what it says.")

    @Argument(help: "The configuration file.")
    var file: String

    func run() async throws {
        let environment = processEnvironment()
        let loaded = try LoadedConfiguration(file, environment: environment)
        // Without `ffmpeg:` the one that counts is on the PATH of the service, which need not be ours.
        if let ffmpeg = loaded.configuration.ffmpeg {
            do {
                _ = try await FFmpegBinary.locate(ffmpeg, environment: environment)
            } catch {
                throw Failure.inConfiguration(error)
            }
        }
        print(ConfigurationSummary.render(loaded.configuration))
        for notice in loaded.notices { print("\(notice)") }
    }
}
