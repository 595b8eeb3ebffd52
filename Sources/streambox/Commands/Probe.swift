import ArgumentParser
import BoxConfiguration
import CapabilityProbe
import EncoderSelection
import FFmpeg
import FoundationEssentials
import Glibc
import Supervision
import SystemPackage
import SystemSupport

/// Shows the GPUs, encoders and capture devices of this box.
struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows GPUs with what their drivers encode, encoders, and capture devices.",
        usage: "streambox probe [--json] [--no-trial]",
        subcommands: [ProbeVA.self])

    @Flag(help: "Prints one JSON object for programs.")
    var json = false

    @Flag(help: "Lists drivers and encoders without trying them.")
    var noTrial = false

    /// How long the drivers may take to list their devices.
    private static let limit = Duration.seconds(3)

    func run() async throws {
        let environment = processEnvironment()
        // The lists are read while FFmpeg is asked for its own.
        async let gpuList = BlockingIO.run(atMost: Self.limit) { GPUList.read() }
        async let v4l2EncoderList = BlockingIO.run(atMost: Self.limit) { V4L2EncoderList.read() }
        async let cardList = CaptureSurvey().listCards()
        let cached: CachedFFmpeg
        do {
            cached = try await CachedFFmpeg(BoxConfiguration(channels: []), environment: environment)
        } catch {
            throw Failure.inConfiguration(error)
        }
        let ffmpeg = cached.binary
        let gpus = await gpuList ?? []
        let v4l2Encoders = await v4l2EncoderList ?? []
        let cards = await cardList
        let encoders = EncoderCatalogue(listed: ffmpeg.capabilities.encoders, gpus: gpus, v4l2Encoders: v4l2Encoders)
        var report = ProbeReport(
            ffmpeg: "\(ffmpeg.version)", hwaccels: ffmpeg.capabilities.hwaccels, gpus: gpus.map { .init(gpu: $0) },
            v4l2Encoders: v4l2Encoders, captureDevices: cards ?? [])
        if cards == nil {
            report.problem = "udev does not answer, so the list of capture devices is empty; restart the box"
        }
        report.ffmpegProblems = FFmpegNeeds.missing(in: ffmpeg.capabilities).map {
            .init(subject: $0.subject, sentence: $0.sentence(ffmpeg: "\(ffmpeg.version)"))
        }
        if noTrial {
            report.list(encoders)
        } else {
            if !json, isatty(STDERR_FILENO) != 0 {
                FileDescriptor.standardError.say("asking drivers and trying encoders …")
            }
            async let trials = EncoderSurvey.run(
                encoders, trial: EncoderTrial(ffmpeg: ffmpeg, environment: environment))
            for (index, result) in await Self.ask(gpus) { report.gpus[index].take(result) }
            report.list(encoders, await trials)
            let findings = await cached.findings()
            report.ffmpegProblems += findings.refused.map {
                .init(subject: "FFmpeg", sentence: $0.sentence(ffmpeg: "\(ffmpeg.version)"))
            }
            if let message = findings.incompleteMessage(version: "\(ffmpeg.version)") {
                report.ffmpegProblems.append(.init(subject: "FFmpeg", sentence: message))
            }
        }
        print(json ? try PrettyJSON.text(of: report) + "\n" : report.text, terminator: "")
    }

    /// Asks every VA driver, each in a process of its own.
    private static func ask(_ gpus: [GPU]) async -> [(Int, VAResult)] {
        let environment = ChildEnvironment.reduced(processEnvironment())
        return await withTaskGroup(of: (Int, VAResult).self) { tasks in
            for (index, gpu) in gpus.enumerated() {
                guard let node = gpu.renderNode, gpu.driver != "nvidia" else { continue }
                tasks.addTask {
                    (
                        index,
                        await VAProbe.ask(node, program: ["/proc/self/exe", "probe", "va"], environment: environment)
                    )
                }
            }
            var results: [(Int, VAResult)] = []
            for await result in tasks { results.append(result) }
            return results
        }
    }
}

extension FileDescriptor {
    /// Prints progress for a person. A program that reads standard output does not get it.
    fileprivate func say(_ text: String) { _ = try? writeAll((text + "\n").utf8) }
}

/// Asks one VA driver. `probe` runs it in a process of its own.
struct ProbeVA: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "va", abstract: "Asks the VA driver of one node.", shouldDisplay: false)

    @Argument(help: "The render node.")
    var node: String

    /// Seconds after which the process ends by itself, if its parent was killed and the driver hangs.
    private static let longest: UInt32 = 10

    func run() throws {
        alarm(Self.longest)
        // Drivers print to standard output, which is for the answer alone.
        let answer = dup(STDOUT_FILENO)
        guard answer >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else {
            throw Failure(
                status: 1, description: "cannot redirect standard output: \(String(cString: strerror(errno)))")
        }
        let report: VAReport
        do {
            report = try VAReader.read(node)
        } catch {
            throw Failure(status: 1, description: "\(error)")
        }
        // Text of the driver that is still in the buffers of the C library goes to standard error, too.
        fflush(nil)
        dup2(answer, STDOUT_FILENO)
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }
}
