import ArgumentParser

/// Measures the service's promises, as ratios against a peer or a floor in the same run.
@main
struct StreamboxBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures streambox with real programs on 127.0.0.1.",
        subcommands: [
            FeedFigures.self, Fanout.self, Start.self, Latency.self, Spread.self, Handover.self, Hardware.self,
            Capture.self, Ingest.self, Publish.self, Soak.self, StatusFigures.self,
        ])
}

/// The path of the program under measurement.
struct Product: ParsableArguments {
    @Option(help: "The streambox program, built in release.")
    var streambox: String
}
