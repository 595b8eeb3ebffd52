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

/// The running service: all channels of a configuration, until it is stopped.
package actor Supervisor {
    /// An open tap of a feed.
    package struct OpenTap: Sendable, Hashable {
        /// The channel's or group's name.
        package var name: String
        package var port: Int
        package init(name: String, port: Int) {
            self.name = name
            self.port = port
        }

        /// The address for a player: `tcp://127.0.0.1:20123`.
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

    /// A periodic sign of life. The supervisor's loop sends it when the data path and every channel have answered.
    package struct Heartbeat: Sendable {
        /// The time between two signs.
        package var every: Duration
        package var beat: @Sendable () -> Void

        package init(every: Duration, beat: @escaping @Sendable () -> Void) {
            self.every = every
            self.beat = beat
        }
    }

    /// - Parameter stopped: The outputs that the operator stopped earlier.
    package init(_ configuration: BoxConfiguration, stopped: StoppedOutputs = StoppedOutputs(), context: ServiceContext)
    {
        self.configuration = configuration
        self.stopped = stopped
        self.context = context
        (events, queue) = AsyncStream.makeStream()
    }

    /// Creates the feeds and opens the taps. Call this once, before ``run(heartbeat:)``.
    ///
    /// - Throws: ``StartError`` if the machine lacks something that the configuration needs. Nothing runs then.
    package func prepare() async throws(StartError) -> [OpenTap] {
        for notice in try Preflight(configuration).check() { report(notice) }
        for channel in configuration.channels { await makeFeeds(of: channel) }
        for channel in configuration.channels { try await openTaps(of: channel) }
        await dataPath.start()
        for channel in configuration.channels { add(channel) }
        return openTaps
    }

    /// The open taps, in the order of the configuration.
    package var openTaps: [OpenTap] {
        configuration.channels.flatMap { $0.tapped }.compactMap { taps[$0.feed] }
    }

    /// Runs until ``stop()``, then ends every process.
    ///
    /// - Parameter heartbeat: Called periodically while the service is alive.
    package func run(heartbeat: Heartbeat? = nil) async {
        if heartbeat != nil { queue.yield(.beat) }
        await withDiscardingTaskGroup { tasks in
            let watch = Task { [context] in await Self.watchDevices(context) }
            var next: Task<Void, any Error>?
            loop: for await event in events {
                switch event {
                case .run(let slot): tasks.addTask { await slot.run() }
                case .beat:
                    guard let heartbeat else { break }
                    await waitForAnswers()
                    heartbeat.beat()
                    // Scheduled only now: while a part hangs, there is no sign of life.
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
            // Trials would delay the end.
            watch.cancel()
            await watch.value
        }
        await dataPath.stop()
    }

    /// Logs a port that a source cannot listen on yet.
    private func report(_ notice: String) {
        context.logger.warning("a source cannot listen yet", metadata: ["reason": "\(notice)"])
    }

    package nonisolated func stop() { queue.yield(.stop) }

    /// Returns once the data path's thread and every channel have answered.
    private func waitForAnswers() async {
        await dataPath.ping()
        for channel in channels.values { await channel.runner.ping() }
    }

    /// Keeps the list of the box's devices current, until the task is cancelled.
    private static func watchDevices(_ context: ServiceContext) async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await context.encoders.run() }
            tasks.addTask { await context.captures.run() }
            tasks.addTask {
                for await step in context.clockSteps() { context.captures.clockWasSet(by: step) }
            }
            // Created before the devices are listed first, so that no event between the two is lost.
            var hotplug = Hotplug().makeAsyncIterator()
            context.encoders.listDevices()
            context.captures.listCards()
            while let event = await hotplug.next() {
                context.encoders.recordHotplug(event)
                context.captures.note(event)
            }
        }
    }

    private func makeFeeds(of channel: ChannelConfiguration) async {
        // A source that the box generates itself delivers in a moment, so the slate must not flash at its start.
        let delay = channel.sources.contains { $0.isOwn } ? channel.slate.after : .zero
        await dataPath.addChannel(
            channel.name, patience: channel.slate.after, slateDelay: delay, keepsAudioFormat: channel.copiesAudio,
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

    /// Applies another configuration. Equal parts are not touched, groups with other encoding settings are handed over,
    /// new parts start and removed ones end, each on its own.
    ///
    /// Callers take turns through ``LatestRun``. The file has to be read within the turn, or an older version could be
    /// applied last.
    ///
    /// - Returns: One line for each change, also for those that take effect at the next start of the service.
    /// - Throws: ``StartError`` if the machine lacks something that the new configuration needs. Nothing has changed
    ///   then.
    package func reload(_ next: BoxConfiguration) async throws(StartError) -> [String] {
        guard !isStopping else { throw StartError("the service is stopping; reload after its next start") }
        guard !isReloading else { throw StartError("another reload is under way; wait and reload again") }
        isReloading = true
        defer { isReloading = false }
        for notice in try Preflight(next, since: configuration).check() { report(notice) }
        let changes = ConfigurationChanges(from: configuration, to: next)
        let former = configuration
        configuration = next
        context.encoders.setOrder(next.encoders.order)
        meter.keep(only: Set(next.channels.flatMap(\.groups).map(\.name)))
        await closeTaps(keeping: Set(next.channels.flatMap { $0.tapped.map(\.feed) }))
        let kept = Dictionary(next.channels.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        // Removed parts go first, so that their names, ports and files are free for new ones.
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
                // Streams are more important: a tap is only for monitoring.
                context.logger.error("a tap could not be opened", metadata: ["reason": "\(error)"])
            }
        }
        return changes.lines
    }

    // MARK: The operator

    /// The outputs that the operator stopped.
    package var stoppedOutputs: StoppedOutputs { stopped }

    /// Starts or stops a group or a target.
    ///
    /// - Throws: ``OperatorError`` for an unknown name.
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

    /// Hands a group over, to an encoder that has to pass a trial first, or to a new process of the present encoder.
    ///
    /// - Returns: A sentence with the new encoder and the gap between the two.
    /// - Throws: ``OperatorError``. The present encoder then continues.
    package func handOver(_ name: String, to encoder: String?) async throws(OperatorError) -> String {
        try check(name, among: configuration.channels.flatMap(\.groups).map(\.name), called: "group")
        guard let runner = await group(name) else {
            throw OperatorError(
                "group \(name) passes its channel through, so it has no encoder to hand over", isMistake: false)
        }
        var candidate: EncoderCandidate?
        if let encoder { candidate = try await self.candidate(encoder, for: runner) }
        switch await runner.handOver(to: candidate) {
        case .handedOver(let encoder, let gap):
            return
                """
                group \(name) is now encoded by \(encoder?.description ?? "copy"); the next frame came \
                \(gap.wholeMilliseconds) ms after the last one
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

    /// The candidate that an operator named, after it has passed its trial for the group.
    private func candidate(_ text: String, for runner: GroupRunner) async throws(OperatorError) -> EncoderCandidate {
        guard case .encode(let encoding) = await runner.group.video else {
            throw OperatorError("group \(runner.name) copies its video, so it has no encoder", isMistake: false)
        }
        let list =
            "usable here: "
            + context.encoders.usableEncoders(for: encoding.codec).map(\.description).joined(separator: ", ")
        let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
        guard let known = parts.first.flatMap({ EncoderName.known($0) }) else {
            throw OperatorError("\(text) is not an encoder; \(list)", isMistake: false)
        }
        guard known.codec == encoding.codec else {
            throw OperatorError(
                """
                \(text) encodes \(known.codec.rawValue), but group \(runner.name) needs \(encoding.codec.rawValue); \
                \(list)
                """,
                isMistake: false)
        }
        let candidates = context.encoders.catalogue.candidates(named: known.name, on: parts.count > 1 ? parts[1] : nil)
        guard let candidate = candidates.first else {
            throw OperatorError("\(text): this box has no such device; \(list)", isMistake: false)
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

    /// A group or a target, which the operator starts and stops.
    package enum Output: Sendable, Hashable {
        case group(String)
        case target(String)
    }

    // MARK: Status

    /// The present state of the service.
    package func snapshot(version: String, started: Timestamp, process: ProcessFigures) async -> BoxSnapshot {
        let encoders = context.encoders
        let cards = context.captures.devices
        var box = BoxSnapshot(
            version: version, ffmpeg: "\(context.ffmpeg.version)", started: started.seconds,
            updated: Timestamp.now.seconds,
            process: process)
        box.gpus = encoders.devices.map { GPUSnapshot($0) }
        box.encoders = encoders.encoders.map { EncoderSnapshot($0.candidate, $0.standing) }
        box.captureDevices = cards.map { CaptureDeviceSnapshot(name: $0.name, serial: $0.serial, path: $0.path) }
        box.problems += Problems.found(in: box.gpus)
        for configured in configuration.channels {
            guard let channel = channels[configured.name] else { continue }
            var snapshot = await channel.runner.snapshot(meter: meter)
            snapshot.tap = taps[.channel(configured.name)]?.url
            for index in snapshot.groups.indices {
                let name = snapshot.groups[index].name
                snapshot.groups[index].tap = (taps[.group(name)]).map(\.url)
            }
            box.problems += Problems.found(in: snapshot, ffmpeg: box.ffmpeg)
            box.channels.append(snapshot)
        }
        return box
    }
}

extension ChannelConfiguration {
    /// The feeds with a tap.
    var tapped: [(name: String, feed: DataPath.FeedName)] {
        (tap ? [(name, .channel(name))] : [])
            + groups.filter(\.tap).map { ($0.name, $0.passesThrough ? .channel(name) : .group($0.name)) }
    }
}
