import ArgumentParser
import Foundation
import TestSupport

/// What the two feeds add: the service against the same FFmpeg commands joined by plain pipes.
struct Latency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Latency of source → relay → encoder → tap, against plain pipes.")

    @OptionGroup var product: Product
    @Option(help: "Seconds of measuring.") var seconds = 10

    func run() async throws {
        print("not measured yet")
    }
}
