import ArgumentParser
import Configuration

/// Validates a file and says what it understood.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Validates a configuration file and prints what it says.")

    @Argument(help: "The configuration file.")
    var file: String

    func run() throws {
        let loaded = try LoadedConfiguration(file, environment: processEnvironment())
        print(ConfigurationSummary.render(loaded.configuration))
        for notice in loaded.notices { print("\(notice)") }
    }
}
