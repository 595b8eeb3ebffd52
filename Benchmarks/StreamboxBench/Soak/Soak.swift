import ArgumentParser
import Foundation
import LabKit
import TestSupport

/// Runs a box for hours: two channels with two groups of two targets each, and a random fault every few seconds.
struct Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Runs a box of the lab for an hour with a fault every 20 seconds: the loss of its targets, and its leaks.
            """
    )

    @OptionGroup var product: Product
    @Option(help: "Minutes of faults.") var minutes = 60.0
    @Option(help: "Seconds from one fault to the next.") var every = 20.0
    @Option(help: "The seed of the faults.") var seed: UInt64 = 1
    @Option(parsing: .upToNextOption, help: "Only these faults, to find the one that causes a failure.") var only:
        [SoakFault] = []

    func run() async throws {
        print(
            """
            soak: \(minutes.formatted(0)) min, 2 channels × 2 groups × 2 targets, 320x180p30, a fault every \
            \(every.formatted(0)) s, random seed \(seed)
            """
        )
        var random = SeededRandom(seed: seed)
        let isWell = try await withLab { stage, lab in
            let box = try await SoakBox(stage, lab, streambox: product.streambox)
            var isWell = false
            // After a failure the log tells more than the figures.
            defer { if !isWell { keep(box.log) } }
            var samples = [try await box.settled()]
            var counts: [SoakFault: Int] = [:]
            let clock = ContinuousClock()
            let start = clock.now
            while clock.now - start < .seconds(minutes * 60) {
                let next = clock.now + .seconds(every)
                let fault = (only.isEmpty ? SoakFault.allCases : only).randomElement(using: &random)!
                show("\(Int((clock.now - start).inSeconds)) s: \(fault)")
                try await box.apply(fault, &random)
                counts[fault, default: 0] += 1
                try await clock.sleep(until: next)
                samples.append(try await box.settled())
            }
            try await box.end()
            show("reading the recordings")
            let streams = try await box.streams()
            isWell = report(counts, SoakLeaks(samples), streams, publishes: try box.publishes())
            return isWell
        }
        guard isWell else { throw ExitCode.failure }
    }

    private func keep(_ log: String) {
        let path = FileManager.default.temporaryDirectory.appending(path: "streambox-soak.log").path
        try? log.write(toFile: path, atomically: true, encoding: .utf8)
        print("  the log of the box is in \(path)")
    }

    /// - Returns: Whether nothing was lost and nothing leaked.
    private func report(_ counts: [SoakFault: Int], _ leaks: SoakLeaks, _ streams: [SoakStream], publishes: [Int])
        -> Bool
    {
        let grown = leaks.grown.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let faults = SoakFault.allCases.compactMap { fault in counts[fault].map { "\(fault) \($0)" } }
        print(
            """
            \(counts.values.reduce(0, +)) faults: \(faults.joined(separator: ", "))
              frames at the targets   \(streams.map(\.received).reduce(0, +)), of the slate \
            \(streams.map(\.unnumbered).reduce(0, +))
              lost                    \(streams.map(\.lost).reduce(0, +)) (to be 0)
              twice or late           \(streams.map(\.disordered).reduce(0, +)) (to be 0)
              backward timestamps     \(streams.map(\.backward).reduce(0, +)) (to be 0)
              RTMP publishes          \(publishes.map(String.init).joined(separator: ", ")) (to be 1 each)
              descriptors             \(leaks.descriptors.before) → \(leaks.descriptors.after) (to be the \
            same)\(grown.isEmpty ? "" : ", more of \(grown)")
              processes               \(leaks.processes.before) → \(leaks.processes.after) (to be the same), zombies \
            \(leaks.zombies)
              resident                \(mib(leaks.resident.before)) → \(mib(leaks.resident.after)), most \
            \(mib(leaks.most))
              slope                   \((leaks.slope / 1024).formatted(0)) KiB an hour, over the second half
            """)
        for stream in streams where !stream.isWhole { print("  \(stream)") }
        return streams.allSatisfy(\.isWhole) && publishes.allSatisfy { $0 == 1 } && leaks.isFree
    }

    private func mib(_ bytes: Int) -> String { "\((Double(bytes) / 1_048_576).formatted(1)) MiB" }
}
