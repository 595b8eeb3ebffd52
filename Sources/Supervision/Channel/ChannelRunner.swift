import BoxConfiguration
import DataPath
import FFmpeg
import Logging
import MPEGTS
import SystemSupport

/// Runs one channel: its sources, groups and targets, and their changes at a reload.
actor ChannelRunner: Runnable {
    private(set) var channel: ChannelConfiguration
    let context: ServiceContext
    let dataPath: DataPath
    private let logger: Logger

    private var slate: SlateManager
    let slateStatistics: ProcessStatistics
    private var machine: ChannelMachine
    /// The sources, in order of priority.
    private var sources: [RunnerPlace<SourceRunner>] = []
    /// Groups of the former configuration whose figures have been kept.
    private var leaving: Set<String> = []
    /// The groups that encode, by name.
    private var groups: [String: RunnerPlace<GroupRunner>] = [:]
    /// The targets, by name.
    private var targets: [String: RunnerPlace<TargetRunner>] = [:]
    /// Groups and targets that the operator stopped.
    private(set) var stopped: StoppedOutputs
    /// Whether something has been on air: an encoder that started before the first frame would not know the format.
    private(set) var hasVideo = false
    /// Whether something is on air, and the time since which that has been so, as of the last snapshot.
    var air: (isOn: Bool, since: ContinuousClock.Instant)

    private nonisolated let events: AsyncStream<Event>
    private nonisolated let queue: AsyncStream<Event>.Continuation

    private enum Event: Sendable {
        case machine(ChannelMachine.Event)
        case onAir(VideoFormat?, isSlate: Bool)
        /// The source on air continues in this format.
        case changed(VideoFormat?)
        /// Run this task until it returns.
        case run(@Sendable () async -> Void)
        case settle(change: Int)
        case finish
    }

    /// How long a stage of the stop may take before the next one begins.
    private static let sourcesPatience = Duration.milliseconds(500)
    private static let encodersPatience = Duration.milliseconds(800)
    /// A cancelled target discards unread input.
    private static let targetsPatience = ProcessRunner.endOfInputPatience

    /// - Parameter stopped: The groups and targets that the operator stopped before.
    init(_ channel: ChannelConfiguration, stopped: StoppedOutputs, context: ServiceContext, dataPath: DataPath) {
        self.channel = channel
        self.stopped = stopped
        self.context = context
        self.dataPath = dataPath
        air = (false, context.clock.now)
        logger = context.logger(["channel": "\(channel.name)"])
        machine = ChannelMachine(isOwn: channel.sources.map(\.isOwn))
        slateStatistics = context.registry.source("slate", of: channel.name)
        (events, queue) = AsyncStream.makeStream()
        slate = Self.makeSlate(channel, statistics: slateStatistics, queue: queue, context: context, dataPath: dataPath)
    }

    private static func makeSlate(
        _ channel: ChannelConfiguration, statistics: ProcessStatistics, queue: AsyncStream<Event>.Continuation,
        context: ServiceContext,
        dataPath: DataPath
    ) -> SlateManager {
        let logger = context.logger(["channel": "\(channel.name)", "source": "slate"])
        let tell = { @Sendable (refused: String?) in statistics.isRefused(refused) }
        return SlateManager(channel, context: context, dataPath: dataPath, tell: tell) { event in
            switch event {
            case .onAir(let format):
                statistics.isOnAir(true)
                statistics.shows(format)
                logger.notice("on air")
                queue.yield(.onAir(format, isSlate: true))
            case .offAir:
                statistics.isOnAir(false)
                logger.info("off air")
            }
        }
    }

    nonisolated func finish() { queue.yield(.finish) }

    /// Returns once the actor is free, which shows that it does not hang.
    func ping() {}

    /// Runs until ``finish()``, and returns when all processes have ended. Each process gets time to write the rest of
    /// its output.
    func run() async {
        await withDiscardingTaskGroup { tasks in
            begin()
            tasks.addTask { [slate] in await slate.run() }
            loop: for await event in events {
                switch event {
                case .machine(let event): carryOut(machine.handle(event))
                case .onAir(let format, let isSlate):
                    hasVideo = true
                    if !isSlate { tasks.addTask { [slate] in await slate.follow(format) } }
                    for place in groups.values {
                        place.runner.want(wants(place.runner.name))
                        place.runner.arriving(format, isSlate: isSlate)
                    }
                case .changed(let format):
                    tasks.addTask { [slate] in await slate.follow(format) }
                    for place in groups.values { place.runner.changes(to: format) }
                case .run(let body): tasks.addTask { await body() }
                case .settle(let change):
                    tasks.addTask { [queue, clock = context.clock] in
                        guard await (try? clock.sleep(for: ChannelMachine.settling)) != nil else { return }
                        queue.yield(.machine(.settled(change: change)))
                    }
                case .finish: break loop
                }
            }
            await end()
            tasks.cancelAll()
        }
    }

    private func begin() {
        for (priority, source) in channel.sources.enumerated() { sources.append(makeSource(source, priority)) }
        carryOut(machine.initial)
        for group in channel.groups { addGroup(group) }
    }

    /// Ends sources first, then encoders, then targets, so that the last output of each is still delivered.
    private func end() async {
        let (sources, groups, targets) = (sources, Array(groups.values), Array(targets.values))
        for place in sources { place.end() }
        await wait(for: sources.map(\.slot), atMost: Self.sourcesPatience)
        for place in groups { place.end() }
        await wait(for: groups.map(\.slot), atMost: Self.encodersPatience)
        for place in targets { place.end() }
        await wait(for: targets.map(\.slot), atMost: Self.targetsPatience)
    }

    private func wait<Runner>(for slots: [RunnerSlot<Runner>], atMost limit: Duration) async {
        await withTaskGroup { tasks in
            tasks.addTask { for slot in slots { await slot.wait() } }
            tasks.addTask { [clock = context.clock] in try? await clock.sleep(for: limit) }
            await tasks.next()
            tasks.cancelAll()
        }
    }

    // MARK: Sources

    private func makeSource(_ source: SourceConfiguration, _ priority: Int) -> RunnerPlace<SourceRunner> {
        let place = RunnerPlace(makeRunner(source, priority))
        queue.yield(.run { [slot = place.slot] in await slot.run() })
        return place
    }

    private func makeRunner(_ source: SourceConfiguration, _ priority: Int) -> SourceRunner {
        let queue = queue
        return SourceRunner(
            source, priority: priority, of: channel, context: context, dataPath: dataPath,
            observer: SourceObserver(
                delivers: { queue.yield(.machine(.source(priority, delivers: $0))) },
                onAir: { queue.yield(.onAir($0, isSlate: false)) },
                changed: { queue.yield(.changed($0)) }))
    }

    private func carryOut(_ effects: [ChannelMachine.Effect]) {
        for effect in effects {
            switch effect {
            case .run(let source): sources[source].runner.want(true)
            case .rest(let source): sources[source].runner.want(false)
            case .settle(let change): queue.yield(.settle(change: change))
            }
        }
    }

    // MARK: Groups and targets

    private func wants(_ group: String) -> Bool { hasVideo && !stopped.groups.contains(group) }

    private func wants(_ target: TargetConfiguration, of group: GroupConfiguration) -> Bool {
        !stopped.groups.contains(group.name) && !stopped.targets.contains(target.name)
    }

    private func addGroup(_ group: GroupConfiguration) {
        if !group.passesThrough {
            let place = RunnerPlace(
                GroupRunner(
                    group, of: channel, statistics: context.registry.group(group.name, in: channel.name),
                    context: context,
                    dataPath: dataPath))
            groups[group.name] = place
            queue.yield(.run { [slot = place.slot] in await slot.run() })
            if wants(group.name) { place.runner.want(true) }
        }
        for target in group.targets { addTarget(target, to: group) }
    }

    /// The codec of a group, where FFmpeg cannot send it to the target.
    private func missingCodec(_ target: TargetConfiguration, of group: GroupConfiguration) -> MissingAbility? {
        MissingAbility.codec(of: target, in: group, for: context.ffmpeg.capabilities)
    }

    private func addTarget(_ target: TargetConfiguration, to group: GroupConfiguration) {
        let place = RunnerPlace(makeRunner(target, group))
        targets[target.name] = place
        queue.yield(.run { [slot = place.slot] in await slot.run() })
        place.runner.want(wants(target, of: group))
    }

    private func makeRunner(_ target: TargetConfiguration, _ group: GroupConfiguration) -> TargetRunner {
        TargetRunner(
            target, of: group, in: channel.name,
            feed: group.passesThrough ? .channel(channel.name) : .group(group.name), context: context,
            dataPath: dataPath)
    }

    /// Applies the list of groups and targets that the operator has stopped.
    func apply(_ stopped: StoppedOutputs) {
        self.stopped = stopped
        for group in channel.groups {
            groups[group.name]?.runner.want(wants(group.name))
            for target in group.targets { targets[target.name]?.runner.want(wants(target, of: group)) }
        }
    }

    /// Returns the runner of a group's encoder. `nil` for an unknown group, and for one that passes its channel
    /// through.
    func groupRunner(_ name: String) -> GroupRunner? { groups[name]?.runner }
    func targetRunner(_ name: String) -> TargetRunner? { targets[name]?.runner }
    /// The runners of the sources, in order of priority.
    var sourceRunners: [SourceRunner] { sources.map(\.runner) }

    // MARK: Reload

    /// Ends the groups and targets that the next configuration no longer has, and returns when they have ended.
    func shed(for next: ChannelConfiguration) async {
        let kept = Dictionary(next.groups.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var endingTargets: [RunnerSlot<TargetRunner>] = []
        var endingGroups: [RunnerSlot<GroupRunner>] = []
        var gone: [GroupConfiguration] = []
        for group in channel.groups {
            // A group that changes between encoding and passing the channel through reads another feed.
            let stays = kept[group.name].map { $0.passesThrough == group.passesThrough } ?? false
            let keptTargets = stays ? Set(kept[group.name]?.targets.map(\.name) ?? []) : []
            for target in group.targets where !keptTargets.contains(target.name) {
                guard let place = targets.removeValue(forKey: target.name) else { continue }
                place.end()
                endingTargets.append(place.slot)
            }
            if !stays, let place = groups.removeValue(forKey: group.name) {
                place.end()
                endingGroups.append(place.slot)
            }
            if !stays { gone.append(group) }
        }
        for slot in endingTargets { await slot.wait() }
        for slot in endingGroups { await slot.wait() }
        for group in gone { await removeFeed(of: group) }
    }

    /// Removes the feeds of a channel that has ended.
    func removeFeeds() async {
        for group in channel.groups { await removeFeed(of: group) }
        if let last = await dataPath.removeChannel(channel.name) {
            context.registry.keep(bytes: last.bytes, of: channel.name)
        }
    }

    /// Removes a group's feed and keeps its counters, which continue if the group comes back.
    private func removeFeed(of group: GroupConfiguration) async {
        let last = await figures(of: group)
        // Without a suspension between the two: a snapshot counts the feed exactly once.
        leaving.insert(group.name)
        if let last { context.registry.group(group.name, in: channel.name).keep(last) }
        if !group.passesThrough { _ = await dataPath.removeGroup(group.name) }
    }

    /// Returns the counters of a group's feed. `nil` once they have been kept for a group that may come back.
    func figures(of group: GroupConfiguration) async -> DataPath.FeedFigures? {
        let figures =
            group.passesThrough
            ? await dataPath.figures(ofChannel: channel.name) : await dataPath.figures(ofGroup: group.name)
        return leaving.contains(group.name) ? nil : figures
    }

    /// Makes a group's feed. For a group that passes its channel through, subtracts what the channel's feed has counted
    /// before.
    private func makeFeed(of group: GroupConfiguration) async {
        guard group.passesThrough else { return await dataPath.addGroup(group.name) }
        if let before = await dataPath.figures(ofChannel: channel.name) {
            context.registry.group(group.name, in: channel.name).keep(before, times: -1)
        }
    }

    /// Applies another configuration of the same channel. Equal parts are not touched.
    func change(to next: ChannelConfiguration) async {
        let former = channel
        channel = next
        if former.slate.after != next.slate.after { await dataPath.setPatience(next.slate.after, of: next.name) }
        await dataPath.keepAudioFormat(next.copiesAudio, of: next.name)
        if former.slate != next.slate {
            slateStatistics.isRefused(nil)
            slate = Self.makeSlate(
                next, statistics: slateStatistics, queue: queue, context: context, dataPath: dataPath)
            let format = sourceRunners.lazy.map(\.statistics.now).first { $0.isOnAir }?.format
            queue.yield(.run { [slate] in if let format { await slate.follow(format) } else { await slate.run() } })
        }
        changeSources(from: former)
        // All at once: a disk that does not answer delays each of them by seconds.
        await withDiscardingTaskGroup { tasks in
            for source in sourceRunners { tasks.addTask { await source.reloadSecrets() } }
        }
        let before = Dictionary(former.groups.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for group in next.groups {
            guard let old = before[group.name], old.passesThrough == group.passesThrough else {
                await makeFeed(of: group)
                leaving.remove(group.name)
                addGroup(group)
                continue
            }
            if old != group { groups[group.name]?.runner.change(to: group) }
            for target in group.targets {
                let isSame = old.targets.first { $0.name == target.name } == target
                if targets[target.name] == nil {
                    addTarget(target, to: group)
                } else if !isSame || missingCodec(target, of: old) != missingCodec(target, of: group) {
                    let runner = makeRunner(target, group)
                    runner.want(wants(target, of: group))
                    targets[target.name]?.replace(with: runner)
                }
            }
        }
        leaving = []
    }

    /// Replaces the sources that differ at their position in the list. A source that is the same there continues.
    private func changeSources(from former: ChannelConfiguration) {
        let (old, new) = (FFmpegCommands.Transcoding(for: former), FFmpegCommands.Transcoding(for: channel))
        let kept = channel.sources.indices.map {
            former.sources.indices.contains($0) && former.sources[$0] == channel.sources[$0]
                && old.hasSameRelay(for: channel.sources[$0], as: new)
        }
        for index in sources.indices where !channel.sources.indices.contains(index) { sources[index].end() }
        sources.removeLast(max(0, sources.count - channel.sources.count))
        for index in channel.sources.indices where !kept[index] {
            let source = channel.sources[index]
            guard index < sources.count else {
                sources.append(makeSource(source, index))
                continue
            }
            sources[index].replace(with: makeRunner(source, index))
        }
        carryOut(machine.change(isOwn: channel.sources.map(\.isOwn), kept: kept))
    }
}

extension SourceConfiguration {
    /// Whether the service gets uncompressed frames from the source, and has them encoded.
    var hasFrames: Bool {
        switch kind {
        case .capture, .raw: true
        case .rtmp, .srt, .pull, .file, .test: false
        }
    }

    /// Whether the box itself makes the source's media, so that the source can stop while a better one delivers.
    var isOwn: Bool {
        switch kind {
        case .file, .test: true
        case .rtmp, .srt, .pull, .capture, .raw: false
        }
    }
}
