import ArgumentParser
import Foundation
import TestSupport

/// Measures the cost of one RTMP publisher, and how long a frame takes into the channel.
///
/// The frames are read at the channel's tap, so only the processes that read the publisher run: the service itself and,
/// in a build that has them, its relays. Two builds get the same messages at the same time.
struct Publish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "A publisher of H.264 and AAC: the cost of all processes that read it, and the delay of a frame.")

    @OptionGroup var product: Product
    @Option(help: "Another build of the service, which gets the same publisher at the same time.") var former: String?
    @Option(help: "Seconds to publish.") var seconds = 40
    @Option(help: "Kilobits per second of the video.") var bitrate = 8000
    @Option(help: "Frames per second.") var rate = 30

    /// Seconds at the beginning that do not count, in which the service queries FFmpeg and readers connect.
    private static let warmup = 10

    func run() async throws {
        try await withStage { stage in
            let messages = try await messages(stage)
            var builds = [("streambox", product.streambox)]
            if let former { builds.append(("former", former)) }
            var boxes: [Contender] = []
            for (name, program) in builds { boxes.append(try await Contender(stage, name: name, program: program)) }
            // By then the slate is on air, and the service has queried FFmpeg.
            try await Task.sleep(for: .seconds(5))
            let publishing = boxes.map { box in
                Task { try await HandMadePublisher.publish(messages, to: box.port, key: "x") }
            }
            try await Task.sleep(for: .seconds(Self.warmup))
            let before = try boxes.map { try $0.figures() }
            let length = seconds - Self.warmup - 2
            try await Task.sleep(for: .seconds(length))
            let after = try boxes.map { try $0.figures() }
            var sent: [[ContinuousClock.Instant]] = []
            for task in publishing { sent.append(try await task.value.frames) }
            try await Task.sleep(for: .seconds(1))

            print(
                """
                publish: \(bitrate) kbit/s, \(rate) frames per second, into one channel and out at its tap, \
                \(seconds) s
                """
            )
            for (index, box) in boxes.enumerated() {
                let cpu = (after[index].cpu - before[index].cpu) / Double(length) * 100
                // The slate comes back long after the last frame.
                let arrived = box.arrivals.all.suffix(sent[index].count)
                let delays = zip(arrived, sent[index]).map { ($0.time - $1).inSeconds * 1000 }
                guard arrived.count == sent[index].count, let first = delays.first else {
                    throw Failed("\(box.name): \(arrived.count) frames of \(sent[index].count) came")
                }
                let steady = Array(delays.dropFirst(Self.warmup * rate))
                print(
                    """
                      \(box.name)
                        processes            \(after[index].processes) (the service and its own processes)
                        processor, all       \(cpu.formatted(2)) % of a core
                        resident, all        \(after[index].resident >> 20) MiB
                        first frame          \(first.formatted(1)) ms, last byte sent → last byte at the tap
                        frame                median \(median(steady).formatted(1)) ms, p95 \
                    \(percentile(steady, 0.95).formatted(1)) ms, \(steady.count) frames
                    """)
                _ = try? await box.program.interrupt(.seconds(15))
            }
        }
    }

    private func messages(_ stage: Stage) async throws -> [HandMadePublisher.Message] {
        let file = stage.folder.path("source.flv")
        let source = NumberedSource.with {
            ($0.width, $0.height, $0.rate, $0.gop) = (1280, 720, rate, rate)
            $0.duration = .seconds(seconds)
            $0.picture = .busy
            $0.bitrate = bitrate
        }
        try await source.write(to: file)
        return FLVFile(Array(try stage.folder.read("source.flv"))).tags.map { HandMadePublisher.Message($0) }
    }

    /// One build of the service, with a reader at its tap.
    private struct Contender {
        let name: String
        let port: Int
        let program: TestProcess
        let arrivals: Arrivals

        init(_ stage: Stage, name: String, program path: String) async throws {
            self.name = name
            port = try FreePort.tcp()
            let run = stage.folder.path("run-\(name)")
            let config = try stage.folder.write(
                "\(name).yaml",
                """
                runtime: \(run)
                state: \(stage.folder.path("state-\(name)"))
                channels:
                  - name: main
                    tap: true
                    slate: { after: 20s }
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    groups: [ { name: raw, video: copy, audio: copy, targets: [] } ]
                """)
            program = try await stage.program(path, ["run", "--config", config])
            let listening = port
            try await eventually("the source to listen") { FreePort.isListening(tcp: listening) }
            let tap = try await eventually("the tap") {
                let words = ((try? stage.folder.text("run-\(name)/taps")) ?? "").split(whereSeparator: \.isWhitespace)
                return words.last.flatMap { Int($0) }
            }
            arrivals = Arrivals(descriptor: try connect(port: tap))
        }

        /// Returns the figures of the service and all of its processes together.
        func figures() throws -> (cpu: Double, resident: Int, processes: Int) {
            let all = [program.pid] + Leftovers.descendants(of: program.pid).filter { !$0.isZombie }.map(\.pid)
            let figures = all.compactMap { try? ProcessFigures(pid: $0) }
            return (
                figures.reduce(0) { $0 + $1.cpu }, figures.reduce(0) { $0 + $1.resident }, figures.count
            )
        }
    }
}
