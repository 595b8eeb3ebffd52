import ArgumentParser
import Foundation
import TestSupport

/// Compares the service and all its processes with nginx-rtmp's worker: the same publisher, the same number of pushes
/// to the same sink.
///
/// Both get the stream at the same time from publishers of their own, so that other load on the machine affects both.
/// The numbers of targets take turns in each round.
struct Fanout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "CPU and memory of all processes for one channel copied to several targets, against nginx-rtmp.")

    @OptionGroup var product: Product
    @Option(help: "The numbers of targets, such as 1,8,24.") var targets = "1,8,24"
    @Option(help: "How often each number of targets is measured.") var rounds = 3
    @Option(help: "Seconds of each measurement.") var seconds = 20
    @Option(help: "Kilobits per second of the source: 8000, or 1000 with --many.") var bitrate: Int?
    @Flag(help: "Sends by RTMPS. nginx-rtmp does it through stunnel (package stunnel4), or nginx if that is missing.")
    var tls = false
    @Option(help: "Measures this number of targets alone: frames lost, and whether memory grows.") var many: Int?
    @Option(help: "Minutes of --many.") var minutes = 10.0

    func run() async throws {
        if let many {
            try await FanoutMany(product: product, targets: many, minutes: minutes, bitrate: bitrate ?? 1000).run()
            return
        }
        let counts = targets.split(separator: ",").compactMap { Int($0) }
        guard !counts.isEmpty, counts.allSatisfy({ $0 > 0 }), rounds > 0, seconds > 0 else {
            throw ValidationError("--targets takes numbers above 0, such as 1,8,24")
        }
        try await withStage { stage in
            let rig = try await FanoutRig(stage, product: product, bitrate: bitrate ?? 8000, usesTLS: tls)
            var results: [FanoutResult] = []
            for round in 1...rounds {
                for count in counts {
                    show("round \(round) of \(rounds), \(count) targets")
                    results.append(try await rig.measure(count, seconds: seconds, name: "r\(round)n\(count)"))
                }
            }
            show("")
            report(results, counts, peer: rig.peerName)
        }
    }

    private func report(_ results: [FanoutResult], _ counts: [Int], peer: String) {
        print(
            """
            fanout: \(bitrate ?? 8000) kbit/s from RTMP, copied to \(tls ? "RTMPS" : "RTMP") targets; \
            \(rounds) rounds of \(seconds) s, medians (least…greatest)
              streambox is the service and all processes below it, also those that ended; the peer is \(peer)
              left out: the publishers and the sink\(tls ? ", and the sink's TLS" : "")
              processor in % of a core; memory in MB of PSS, where a page that other programs share counts in part
            """)
        for count in counts {
            let rows = results.filter { $0.targets == count }
            print("  \(count) targets")
            print("    streambox  \(line(rows.map(\.service))), processes \(rows.map(\.service.processes).max() ?? 0)")
            print("    peer       \(line(rows.map(\.peer))), processes \(rows.map(\.peer.processes).max() ?? 0)")
            let goal = Self.goals[count].map { " (to be ≤ \($0.ratio.formatted(1)), and ≤ \($0.memory) MB)" }
            print("    ratio      \(ratio(rows.map(\.service), rows.map(\.peer)))\(tls ? "" : goal ?? "")")
        }
        guard Set(counts).count > 1 else { return }
        // Round by round: what another program does to the machine falls into one of them.
        let rounds = stride(from: 0, to: results.count, by: counts.count).map { Array(results[$0..<$0 + counts.count]) }
        let service = rounds.map { FanoutResult.perTarget($0, \.service) }
        let peers = rounds.map { FanoutResult.perTarget($0, \.peer) }
        print("  each further target")
        print("    streambox  \(line(service, digits: 3))")
        print("    peer       \(line(peers, digits: 3))")
        // The peer's memory for a target is too small for a ratio.
        let ratios = zip(service, peers).map { $0.processor / $1.processor }
        print("    ratio      processor \(summary(ratios, 2))\(tls ? "" : " (to be ≤ 1.0, and ≤ 0.5 MB)")")
    }

    private static let goals: [Int: (ratio: Double, memory: Int)] = [8: (2, 35), 24: (1.3, 45)]

    private func line(_ figures: [FanoutResult.Figures], digits: Int = 2) -> String {
        """
        processor \(summary(figures.map(\.processor), digits)) %, memory \
        \(summary(figures.map(\.memory), max(1, digits - 1))) MB
        """
    }

    private func ratio(_ service: [FanoutResult.Figures], _ peers: [FanoutResult.Figures]) -> String {
        let processor = zip(service, peers).map { $0.processor / $1.processor }
        let memory = zip(service, peers).map { $0.memory / $1.memory }
        return "processor \(summary(processor, 2)), memory \(summary(memory, 1))"
    }
}
