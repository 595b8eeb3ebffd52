public import Configuration
import DataPath
import Logging

/// The running service: every channel of a configuration, until it is stopped.
public actor Supervisor {
    /// Where a feed can be watched.
    public struct OpenTap: Sendable, Hashable {
        /// The channel's or group's name.
        public var name: String
        public var port: Int
        public init(name: String, port: Int) {
            self.name = name
            self.port = port
        }

        /// For a player: `tcp://127.0.0.1:20123`.
        public var url: String { "tcp://127.0.0.1:\(port)" }
    }

    public private(set) var configuration: BoxConfiguration
    let box: Box
    let dataPath = DataPath()
    private var channels: [String: Channel] = [:]
    private var taps: [DataPath.FeedName: OpenTap] = [:]
    private var stopped: StoppedOutputs
    private var isStopping = false
    private nonisolated let events: AsyncStream<Event>
    private nonisolated let queue: AsyncStream<Event>.Continuation

    private struct Channel {
        let runner: ChannelRunner
        let slot: Slot<ChannelRunner>
    }

    private enum Event: Sendable {
        case run(Slot<ChannelRunner>)
        case stop
    }

    /// - Parameter stopped: What the operator stopped before.
    public init(_ configuration: BoxConfiguration, stopped: StoppedOutputs = StoppedOutputs(), box: Box) {
        self.configuration = configuration
        self.stopped = stopped
        self.box = box
        (events, queue) = AsyncStream.makeStream()
    }

    /// Makes the feeds and opens the taps. To be called once, before ``run()``.
    ///
    /// - Throws: ``StartError`` when something that the configuration asks for cannot be had; nothing runs then.
    public func prepare() async throws(StartError) -> [OpenTap] {
        try Preflight(configuration).check()
        for channel in configuration.channels { await makeFeeds(of: channel) }
        for channel in configuration.channels { try await openTaps(of: channel) }
        await dataPath.start()
        for channel in configuration.channels { add(channel) }
        return openTaps
    }

    /// Where the feeds can be watched now, in the order of the configuration.
    public var openTaps: [OpenTap] {
        configuration.channels.flatMap { $0.tapped }.compactMap { taps[$0.feed] }
    }

    /// Runs until ``stop()``, then ends every process.
    public func run() async {
        await withDiscardingTaskGroup { tasks in
            loop: for await event in events {
                switch event {
                case .run(let slot): tasks.addTask { await slot.run() }
                case .stop: break loop
                }
            }
            isStopping = true
            for channel in channels.values { Self.end(channel) }
        }
        await dataPath.stop()
    }

    public nonisolated func stop() { queue.yield(.stop) }

    private func makeFeeds(of channel: ChannelConfiguration) async {
        await dataPath.addChannel(channel.name, patience: channel.slate.after)
        for group in channel.groups where !group.passesThrough { await dataPath.addGroup(group.name) }
    }

    private func add(_ channel: ChannelConfiguration) {
        let runner = ChannelRunner(channel, stopped: stopped, box: box, dataPath: dataPath)
        let entry = Channel(runner: runner, slot: Slot(runner))
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
                taps[feed] = OpenTap(name: name, port: try await dataPath.openTap(on: feed, port: TapPort.preferred(for: name)))
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
    /// - Returns: What was changed, a line each; and what only the next start of the service will heed.
    /// - Throws: ``StartError`` when something new cannot be had; nothing has changed then.
    public func reload(_ next: BoxConfiguration) async throws(StartError) -> [String] {
        guard !isStopping else { throw StartError("the service is stopping") }
        try Preflight(next, since: configuration).check()
        let changes = ConfigurationChanges(from: configuration, to: next)
        let former = configuration
        configuration = next
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
                for group in channel.groups { await dataPath.removeGroup(group.name) }
                await dataPath.removeChannel(channel.name)
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
                box.logger.error("\(error)")
            }
        }
        return changes.lines
    }

    // MARK: The operator

    /// What the operator stopped.
    public var stoppedOutputs: StoppedOutputs { stopped }

    /// Starts or stops groups and targets.
    public func heed(_ stopped: StoppedOutputs) async {
        self.stopped = stopped
        for channel in channels.values { await channel.runner.heed(stopped) }
    }

    /// Hands a group over to another generation of its encoder.
    public func handOver(_ group: String) async -> Bool {
        for channel in channels.values {
            guard let runner = await channel.runner.group(group) else { continue }
            runner.handOver(.operator_)
            return true
        }
        return false
    }
}

extension ChannelConfiguration {
    /// The feeds that can be watched.
    var tapped: [(name: String, feed: DataPath.FeedName)] {
        (tap ? [(name, .channel(name))] : [])
            + groups.filter(\.tap).map { ($0.name, $0.passesThrough ? .channel(name) : .group($0.name)) }
    }
}
