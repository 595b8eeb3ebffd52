import ArgumentParser
import CapabilityProbe
import Configuration
import EncoderSelection
import FFmpeg
import FoundationEssentials
import Glibc

/// What this box has.
struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows GPUs with what their drivers encode, encoders, and capture devices.", subcommands: [ProbeVA.self])

    @Flag(help: "One JSON object for programs.")
    var json = false

    @Flag(help: "Drivers and encoders are not tried, only listed.")
    var noTrial = false

    func run() async throws {
        let environment = processEnvironment()
        let (ffmpeg, encoders) = try await InstalledFFmpeg.find(BoxConfiguration(channels: []), environment: environment)
        var report = ProbeReport(
            ffmpeg: "\(ffmpeg.version)", gpus: GPUList.read().map { .init(gpu: $0) }, v4l2Encoders: V4L2EncoderList.read(),
            captureDevices: CaptureList.read())
        if !noTrial {
            await withTaskGroup(of: (Int, VAResult).self) { tasks in
                for (index, entry) in report.gpus.enumerated() {
                    guard let node = entry.gpu.renderNode, entry.gpu.driver != "nvidia" else { continue }
                    tasks.addTask { (index, await VAProbe.ask(node, program: ["/proc/self/exe", "probe", "va"])) }
                }
                for await (index, result) in tasks {
                    switch result {
                    case .report(let va): report.gpus[index].va = va
                    case .failed(let failure): (report.gpus[index].problem, report.gpus[index].problemKind) = (failure.reason, failure.kind)
                    }
                }
            }
        }
        report.list(encoders)
        guard json else { return print(report.text, terminator: "") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}

/// Asks one VA driver; run by `probe` in a process of its own.
struct ProbeVA: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "va", abstract: "Asks the VA driver of one node.", shouldDisplay: false)

    @Argument(help: "The render node.")
    var node: String

    /// Seconds after which it ends by itself, when whoever asked was killed and a driver hangs.
    private static let longest: UInt32 = 10

    func run() throws {
        alarm(Self.longest)
        // Drivers talk on standard output, where the answer alone belongs.
        let answer = dup(STDOUT_FILENO)
        guard answer >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else {
            throw Failure(status: 1, description: "cannot set standard output aside: \(String(cString: strerror(errno)))")
        }
        let report: VAReport
        do {
            report = try VAReader.read(node)
        } catch {
            throw Failure(status: 1, description: "\(error)")
        }
        // What the driver left in C's own buffers goes where the rest of its talk went.
        fflush(nil)
        dup2(answer, STDOUT_FILENO)
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }
}
