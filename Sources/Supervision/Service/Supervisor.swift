package import BoxConfiguration
import CapabilityProbe
import DataPath
import EncoderSelection
import FFmpeg
import Logging
import MPEGTS
import MediaTypes
package import Status
import SystemSupport

/// The running service: every channel of a configuration, until it is stopped.
package actor Supervisor {
    /// Where a feed can be watched.
    package struct OpenTap: Sendable, Hashable {
        /// The channel's or group's name.
        package var name: String
        package var port: Int
        package init(name: String, port: Int) {
            self.name = name
            self.port = port
        }

        /// For a player: `tcp://127.0.0.1:20123`.
        package var url: String { "tcp://127.0.0.1:\(port)" }
    }

    package private(set) var configuration: BoxConfiguration
    let context: ServiceContext
    let dataPath = DataPath()
    private var channels: [String: Channel] = [:]
    private var taps: [DataPath.FeedName: OpenTap] = [:]
    private var stopped: StoppedOutputs
    private var isStopping = false
    private var isReloading = false
    private let meter = RateMeter()
    private nonisolated let events: AsyncStream<Event>
    private nonisolated let queue: AsyncStream<Event>.Continuation

    private struct Channel {
        let runner: ChannelRunner
        let slot: RunnerSlot<ChannelRunner>
    }

    private enum Event: Sendable {
        case run(RunnerSlot<ChannelRunner>)
        case beat
        case stop
    }

    /// A sign of life: given by the loop itself, once the data path and every channel have answered.
    package struct Heartbeat: Sendable {
        /// From one to the next.
        package var every: Duration
        package var beat: @Sendable () -> Void

        package init(every: Duration, beat: @escaping @Sendable () -> Void) {
            self.every = every
            self.beat = beat
        }
    }

    /// - Parameter stopped: What the operator stopped before.
    package init(_ configuration: BoxConfiguration, stopped: StoppedOutputs = StoppedOutputs(), context: ServiceContext)
    {
        self.configuration = configuration
        self.stopped = stopped
        self.context = context
        (events, queue) = AsyncStream.makeStream()
    }

    /// Makes the feeds and opens the taps. To be called once, before ``run()``.
    ///
    /// - Throws: ``StartError`` when something that the configuration asks for cannot be had; nothing runs then.
    package func prepare() async throws(StartError) -> [OpenTap] {
        for notice in try Preflight(configuration).check() { context.logger.warning("\(notice)") }
        for channel in configuration.channels { await makeFeeds(of: channel) }
        for channel in configuration.channels { try await openTaps(of: channel) }
        await dataPath.start()
        for channel in configuration.channels { add(channel) }
        return openTaps
    }

    /// Where the feeds can be watched now, in the order of the configuration.
    package var openTaps: [OpenTap] {
        configuration.channels.flatMap { $0.tapped }.compactMap { taps[$0.feed] }
    }

    /// Runs until ``stop()``, then ends every process.
    ///
    /// - Parameter heartbeat: Who wants to hear that the service is alive.
    package func run(heartbeat: Heartbeat? = nil) async {
        if heartbeat != nil { queue.yield(.beat) }
        await withDiscardingTaskGroup { tasks in
            let keepers = Task { [context] in await Self.keep(context) }
            var next: Task<Void, any Error>?
            loop: for await event in events {
                switch event {
                case .run(let slot): tasks.addTask { await slot.run() }
                case .beat:
                    guard let heartbeat else { break }
                    await goRound()
                    heartbeat.beat()
                    // Only now: while something hangs, nothing is heard.
                    next = Task { [queue] in
                        try await Task.sleep(for: heartbeat.every)
                        queue.yield(.beat)
                    }
                case .stop: break loop
                }
            }
            isStopping = true
            next?.cancel()
            for channel in channels.values { Self.end(channel) }
            // Its trials would be in the way of the end.
            keepers.cancel()
            await keepers.value
        }
        await dataPath.stop()
    }

    package nonisolated func stop() { queue.yield(.stop) }

    /// Returns once the data path's thread and every channel have come round.
    private func goRound() async {
        await dataPath.ping()
        for channel in channels.values { await channel.runner.ping() }
    }

    /// Has what is known of the box's devices kept true, until the task is cancelled.
    private static func keep(_ context: ServiceContext) async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await context.encoders.run() }
            tasks.addTask { await context.captures.run() }
            tasks.addTask {
                for await step in context.clockSteps() { context.captures.clockWasSet(by: step) }
            }
            // Made before the first look, so that nothing is missed between the two.
            var hotplug = Hotplug().makeAsyncIterator()
            context.encoders.look()
            context.captures.look()
            while let event = await hotplug.next() {
                context.encoders.note(event)
                context.captures.note(event)
            }
        }
    }

    private func makeFeeds(of channel: ChannelConfiguration) async {
        // A source that the box makes itself is there in a moment: its start is not to flash the slate.
        let delay = channel.sources.contains { $0.isOwn } ? channel.slate.after : .zero
        await dataPath.addChannel(
            channel.name, patience: channel.slate.after, slateDelay: delay, keepsSound: channel.copiesSound,
            start: context.testHooks.timelineStart ?? 10 * Ticks.perSecond)
        for group in channel.groups where !group.passesThrough { await dataPath.addGroup(group.name) }
    }

    private func add(_ channel: ChannelConfiguration) {
        let runner = ChannelRunner(channel, stopped: stopped, context: context, dataPath: dataPath)
        let entry = Channel(runner: runner, slot: RunnerSlot(runner))
        channels[channel.name] = entry
        queue.yield(.run(entry.slot))
    }

    private static func end(_ channel: Channel) {
        channel.runner.finish()
        channel.slot.close()
    }

    // MARK: Taps

    private func openTaps(of channel: ChannelConfiguration) async throws(StartError) {
        for (name, feed) in channel.tapped where taps[feed] == nil {
            do {
                taps[feed] = OpenTap(
                    name: name, port: try await dataPath.openTap(on: feed, port: TapPort.preferred(for: name)))
            } catch {
                throw StartError("no port for the tap of \(name): \(error)")
            }
        }
    }

    private func closeTaps(keeping feeds: Set<DataPath.FeedName>) async {
        for feed in taps.keys where !feeds.contains(feed) {
            taps[feed] = nil
            await dataPath.closeTap(on: feed)
        }
    }

    // MARK: Reload

    /// Goes on by another configuration. What is the same in both is not touched; what is encoded differently is handed
    /// over; what is new starts and what is gone ends, each alone.
    ///
    /// Callers take turns, as ``LatestRun`` has them do: the file has to be read within the turn, or an older one could
    /// be applied last.
    ///
    /// - Returns: What was changed, a line each; and what only the next start of the service will heed.
    /// - Throws: ``StartError`` when something new cannot be had; nothing has changed then.
    package func reload(_ next: BoxConfiguration) async throws(StartError) -> [String] {
        guard !isStopping else { throw StartError("the service is stopping") }
        guard !isReloading else { throw StartError("another reload is under way") }
        isReloading = true
        defer { isReloading = false }
        for notice in try Preflight(next, since: configuration).check() { context.logger.warning("\(notice)") }
        let changes = ConfigurationChanges(from: configuration, to: next)
        let former = configuration
        configuration = next
        context.encoders.setOrder(next.encoders.order)
        meter.keep(only: Set(next.channels.flatMap(\.groups).map(\.name)))
        await closeTaps(keeping: Set(next.channels.flatMap { $0.tapped.map(\.feed) }))
        let kept = Dictionary(next.channels.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        // First what goes, so that names, ports and files are free for what comes.
        for channel in former.channels {
            guard let entry = channels[channel.name] else { continue }
            if let next = kept[channel.name] {
                await entry.runner.shed(for: next)
            } else {
                Self.end(entry)
                await entry.slot.wait()
                channels[channel.name] = nil
                await entry.runner.removeFeeds()
            }
        }
        for channel in next.channels {
            if let entry = channels[channel.name] {
                await entry.runner.change(to: channel)
            } else {
                await makeFeeds(of: channel)
                add(channel)
            }
        }
        for channel in next.channels {
            do {
                try await openTaps(of: channel)
            } catch {
                // The streams come first; a tap is for looking.
                context.logger.error("\(error)")
            }
        }
        return changes.lines
    }

    // MARK: The operator

    /// What the operator stopped.
    package var stoppedOutputs: StoppedOutputs { stopped }

    /// Starts or stops a group or a target.
    ///
    /// - Throws: ``OperatorError`` for a name that is none.
    package func setWanted(_ isWanted: Bool, _ output: Output) async throws(OperatorError) {
        switch output {
        case .group(let name):
            try check(name, among: configuration.channels.flatMap(\.groups).map(\.name), called: "group")
            if isWanted { stopped.groups.remove(name) } else { stopped.groups.insert(name) }
        case .target(let name):
            try check(
                name, among: configuration.channels.flatMap(\.groups).flatMap(\.targets).map(\.name), called: "target")
            if isWanted { stopped.targets.remove(name) } else { stopped.targets.insert(name) }
        }
        for channel in channels.values { await channel.runner.apply(stopped) }
    }

    /// Hands a group over, to an encoder that is tried first, or to a fresh process of the one in use.
    ///
    /// - Returns: A sentence that says what took over from what.
    /// - Throws: ``OperatorError``; the encoder in use goes on then.
    package func handOver(_ name: String, to encoder: String?) async throws(OperatorError) -> String {
        try check(name, among: configuration.channels.flatMap(\.groups).map(\.name), called: "group")
        guard let runner = await group(name) else {
            throw OperatorError(
                "group \(name) passes its channel through, so there is no encoder to hand over", isMistake: false)
        }
        var candidate: EncoderCandidate?
        if let encoder { candidate = try await self.candidate(encoder, for: runner) }
        switch await runner.handOver(to: candidate) {
        case .handedOver(let encoder, let gap):
            return
                """
                group \(name) is encoded by \(encoder?.description ?? "copy") now; the next picture came \
                \(gap.milliseconds) ms after the last
                """
        case .failed(let why):
            throw OperatorError(why, isMistake: false)
        }
    }

    private func group(_ name: String) async -> GroupRunner? {
        for channel in channels.values {
            if let runner = await channel.runner.groupRunner(name) { return runner }
        }
        return nil
    }

    /// The candidate that an operator named, once it has passed its trial for the group.
    private func candidate(_ text: String, for runner: GroupRunner) async throws(OperatorError) -> EncoderCandidate {
        guard case .encode(let wish) = await runner.group.video else {
            throw OperatorError("group \(runner.name) copies its picture, so it has no encoder", isMistake: false)
        }
        let list = "usable here: " + context.encoders.usable(for: wish.codec).map(\.description).joined(separator: ", ")
        let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
        guard let known = parts.first.flatMap({ EncoderName.known($0) }) else {
            throw OperatorError("\(text) is no encoder; \(list)", isMistake: false)
        }
        guard known.codec == wish.codec else {
            throw OperatorError(
                "\(text) makes \(known.codec.rawValue), and group \(runner.name) is \(wish.codec.rawValue); \(list)",
                isMistake: false)
        }
        let candidates = context.encoders.catalogue.candidates(named: known.name, on: parts.count > 1 ? parts[1] : nil)
        guard let candidate = candidates.first else {
            throw OperatorError("\(text): there is no such device here; \(list)", isMistake: false)
        }
        switch await runner.trial(of: candidate) {
        case .passed: return candidate
        case .failed(_, let why): throw OperatorError("\(candidate): \(why); \(list)", isMistake: false)
        }
    }

    private func check(_ name: String, among names: [String], called kind: String) throws(OperatorError) {
        guard !names.contains(name) else { return }
        let known = names.isEmpty ? "there is none" : "there are: \(names.joined(separator: ", "))"
        throw OperatorError("no \(kind) is named \(name); \(known)", isMistake: true)
    }

    /// Something that the operator starts and stops.
    package enum Output: Sendable, Hashable {
        case group(String)
        case target(String)
    }

    // MARK: Status

    /// The service as it is now.
    package func snapshot(version: String, started: Timestamp, process: ProcessFigures) async -> BoxSnapshot {
        let encoders = context.encoders
        let cards = context.captures.devices
        var context = BoxSnapshot(
            version: version, ffmpeg: "\(context.ffmpeg.version)", started: started.seconds,
            updated: Timestamp.now.seconds,
            process: process)
        context.gpus = encoders.devices.map { GPUSnapshot($0) }
        context.encoders = encoders.encoders.map { EncoderSnapshot($0.candidate, $0.standing) }
        context.captureDevices = cards.map { CaptureDeviceSnapshot(name: $0.name, serial: $0.serial, path: $0.path) }
        context.problems += Problems.of(context.gpus)
        for configured in configuration.channels {
            guard let channel = channels[configured.name] else { continue }
            var snapshot = await channel.runner.snapshot(meter: meter)
            snapshot.tap = taps[.channel(configured.name)]?.url
            for index in snapshot.groups.indices {
                let name = snapshot.groups[index].name
                snapshot.groups[index].tap = (taps[.group(name)]).map(\.url)
            }
            context.problems += Problems.of(snapshot, ffmpeg: context.ffmpeg)
            context.channels.append(snapshot)
        }
        return context
    }
}

extension ChannelConfiguration {
    /// The feeds that can be watched.
    var tapped: [(name: String, feed: DataPath.FeedName)] {
        (tap ? [(name, .channel(name))] : [])
            + groups.filter(\.tap).map { ($0.name, $0.passesThrough ? .channel(name) : .group($0.name)) }
    }
}
