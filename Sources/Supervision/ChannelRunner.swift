import Configuration
import DataPath
import Logging
import TransportStream

/// One channel: its sources, groups and targets, and which of them run.
final class ChannelRunner: Sendable {
    private let sources: [SourceRunner]
    private let groups: [GroupRunner]
    private let targets: [TargetRunner]
    private let events: AsyncStream<Event>
    private let queue: AsyncStream<Event>.Continuation
    private let isOwn: [Bool]

    private enum Event: Sendable {
        case machine(ChannelMachine.Event)
        case onAir(VideoFormat?)
        case finish
    }

    init(_ channel: ChannelConfiguration, box: Box, dataPath: DataPath) {
        let (events, queue) = AsyncStream.makeStream(of: Event.self)
        self.events = events
        self.queue = queue
        let runnable = channel.sources.filter(\.isRunnable)
        isOwn = runnable.map(\.isOwn)
        sources = runnable.enumerated().map { priority, source in
            SourceRunner(
                source, priority: priority, of: channel, box: box, dataPath: dataPath,
                delivers: { queue.yield(.machine(.source(priority, delivers: $0))) },
                onAir: { queue.yield(.onAir($0)) })
        }
        groups = channel.groups.filter { !$0.passesThrough }.map {
            GroupRunner($0, of: channel.name, box: box, dataPath: dataPath)
        }
        targets = channel.groups.flatMap { group in
            let feed: DataPath.FeedName = group.passesThrough ? .channel(channel.name) : .group(group.name)
            return group.targets.map {
                TargetRunner($0, of: group.name, in: channel.name, feed: feed, box: box, dataPath: dataPath)
            }
        }
    }

    func finish() { queue.yield(.finish) }

    /// Runs until ``finish()``: then its processes end, each with time to finish what it writes.
    func run() async {
        async let processes: Void = runProcesses()
        await withDiscardingTaskGroup { timers in
            var machine = ChannelMachine(isOwn: isOwn)
            for effect in machine.initial { carryOut(effect, in: &timers) }
            for target in targets { target.want(true) }
            loop: for await event in events {
                switch event {
                case .machine(let event):
                    for effect in machine.handle(event) { carryOut(effect, in: &timers) }
                case .onAir(let format):
                    // An encoder that started before the first picture would not know what arrives.
                    for encoder in groups {
                        encoder.want(true)
                        encoder.arriving(format)
                    }
                case .finish:
                    break loop
                }
            }
            timers.cancelAll()
        }
        for source in sources { await source.finish() }
        for encoder in groups { await encoder.finish() }
        for target in targets { await target.finish() }
        await processes
    }

    private func runProcesses() async {
        await withDiscardingTaskGroup { group in
            for source in sources { group.addTask { await source.run() } }
            for encoder in groups { group.addTask { await encoder.run() } }
            for target in targets { group.addTask { await target.run() } }
        }
    }

    private func carryOut(_ effect: ChannelMachine.Effect, in timers: inout DiscardingTaskGroup) {
        switch effect {
        case .run(let source): sources[source].want(true)
        case .rest(let source): sources[source].want(false)
        case .settle(let change):
            timers.addTask { [queue] in
                guard await (try? ContinuousClock().sleep(for: ChannelMachine.settling)) != nil else { return }
                queue.yield(.machine(.settled(change: change)))
            }
        }
    }
}

extension SourceConfiguration {
    /// The box makes it itself, so it can rest while a better one delivers.
    var isOwn: Bool {
        switch kind {
        case .file, .test: true
        case .rtmp, .srt, .pull, .capture, .raw: false
        }
    }

    /// This version runs it.
    var isRunnable: Bool {
        switch kind {
        case .capture, .raw: false
        case .rtmp, .srt, .pull, .file, .test: true
        }
    }
}
