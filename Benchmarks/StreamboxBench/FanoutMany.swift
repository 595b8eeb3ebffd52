import Foundation
import Synchronization
import TestSupport

/// Sends one channel to hundreds of targets for minutes, and counts the frames that each of them gets.
struct FanoutMany {
    var product: Product
    var targets: Int
    var minutes: Double
    /// In kilobits per second.
    var bitrate: Int

    /// Seconds of the source, which is repeated.
    private static let sourceLength = 10

    func run() async throws {
        try raiseDescriptorLimit()
        try await withStage { stage in
            let tags = try await stage.tags(of: source)
            let frames = TargetFrames(FrameIdentity(tags))
            let sink = try RTMPStub(keepsMedia: false) { connection, message in
                frames.take(message, of: connection)
            }
            let (service, port) = try await stage.copyingService(
                product, targets: (1...targets).map { "url: \"\(sink.url("key\($0)"))\"" })
            let isEnough = Atomic(false)
            async let published = HandMadePublisher.publish(
                messages(tags), to: port, key: "x", isEnough: { _ in isEnough.load(ordering: .relaxed) })
            // Each target of a build with a process per target takes a while to start.
            try await eventually("frames at every target", within: .seconds(600), every: .seconds(1)) {
                show("\(frames.all.count) of \(targets) targets have frames")
                return frames.all.count >= targets
            }
            show("")
            try await waitUntilSteady(service)
            let start = ContinuousClock.now
            let samples = try await watch(service)
            let length = (ContinuousClock.now - start).inSeconds
            // Before the end of the source, after which the slate comes.
            let counts = frames.all
            isEnough.store(true, ordering: .relaxed)
            guard try await !published.wasCut else { throw Failed("the publisher was disconnected") }
            _ = try await service.interrupt(.seconds(60))
            report(counts, samples, sink.records, length: length)
        }
    }

    /// Returns some 60 samples of the service's figures.
    private func watch(_ service: TestProcess) async throws -> [TreeFigures] {
        let length = Duration.seconds(minutes * 60)
        var samples = [try TreeFigures(of: [service.pid])]
        let end = ContinuousClock.now + length
        while ContinuousClock.now < end {
            try await Task.sleep(for: max(.seconds(1), length / 60))
            samples.append(try TreeFigures(of: [service.pid]))
            show("\(max(0, (end - .now).inSeconds).formatted(0)) s left, \(samples.last!.memory / 1_000_000) MB")
        }
        return samples
    }

    private func report(
        _ frames: [TargetFrames.Count], _ samples: [TreeFigures], _ records: [StubRecord], length: Double
    ) {
        let memory = samples.map { Double($0.memory) / 1e6 }
        let third = max(1, memory.count / 3)
        let processor = (samples.last!.cpu - samples[0].cpu) / length * 100
        let newest = frames.map(\.arrival).max() ?? .now
        let live = frames.count { newest - $0.arrival < .seconds(2) }
        show("")
        print(
            """
            fanout: \(bitrate) kbit/s from RTMP, copied to \(targets) RTMP targets for \(length.formatted(0)) s
              left out: the publisher and the sink
              targets with frames      \(frames.count), at the end \(live) (to be \(targets), \(targets))
              connections at the sink  \(records.count) (to be \(targets)), \
            \(records.count { $0.violation != nil }) with bytes that are not RTMP
              frames received          \(frames.reduce(0) { $0 + $1.received }), by each target \
            \(summary(frames.map { Double($0.received) }, 0))
              lost, repeated, foreign  \(frames.reduce(0) { $0 + $1.lost }), \
            \(frames.reduce(0) { $0 + $1.repeated }), \(frames.reduce(0) { $0 + $1.foreign }) (to be 0, 0, 0)
              processor, all           \(processor.formatted(2)) % of a core
              memory (PSS), all        \(median(Array(memory.prefix(third))).formatted(1)) MB in the first third, \
            \(median(Array(memory.suffix(third))).formatted(1)) MB in the last, \
            \(memory.max()!.formatted(1)) MB at most; \(samples.last!.processes) processes
            """)
    }

    private var source: NumberedSource {
        .with {
            $0.duration = .seconds(Self.sourceLength)
            $0.picture = .busy
            $0.bitrate = bitrate
        }
    }

    /// The source again and again, for longer than the measurement takes.
    private func messages(_ tags: [FLVFile.Tag]) -> [HandMadePublisher.Message] {
        let loops = Int(minutes * 60 + 900) / Self.sourceLength
        return (0..<loops).flatMap { loop in
            tags.filter { loop == 0 || !$0.isHeader }.map { tag in
                var tag = tag
                tag.time += loop * Self.sourceLength * 1000
                return HandMadePublisher.Message(tag)
            }
        }
    }

    /// Each target has a descriptor in the service and one here.
    private func raiseDescriptorLimit() throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur > targets + 200 else {
            throw Failed("\(targets) targets need more open files than the limit of \(limit.rlim_cur): ulimit -n")
        }
    }
}
