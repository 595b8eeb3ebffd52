public import Configuration
import DataPath
import Logging
import Synchronization

/// The running service: every channel of a configuration, until it is stopped.
public final class Supervisor: Sendable {
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

    private let configuration: BoxConfiguration
    private let box: Box
    private let dataPath: DataPath
    private let channels: [ChannelRunner]

    public init(_ configuration: BoxConfiguration, box: Box) {
        self.configuration = configuration
        self.box = box
        let dataPath = DataPath()
        self.dataPath = dataPath
        channels = configuration.channels.map { ChannelRunner($0, box: box, dataPath: dataPath) }
    }

    /// Makes the feeds and opens the taps. To be called once, before ``run()``.
    ///
    /// - Throws: ``StartError`` when something that the configuration asks for cannot be had; nothing runs then.
    public func prepare() async throws(StartError) -> [OpenTap] {
        try Preflight(configuration).check()
        var taps: [OpenTap] = []
        for channel in configuration.channels {
            await dataPath.addChannel(channel.name, patience: channel.slate.after)
            if channel.tap { taps.append(try await openTap(.channel(channel.name), name: channel.name)) }
            for group in channel.groups where !group.passesThrough { await dataPath.addGroup(group.name) }
            for group in channel.groups where group.tap {
                let feed: DataPath.FeedName = group.passesThrough ? .channel(channel.name) : .group(group.name)
                taps.append(try await openTap(feed, name: group.name))
            }
        }
        await dataPath.start()
        return taps
    }

    private func openTap(_ feed: DataPath.FeedName, name: String) async throws(StartError) -> OpenTap {
        do {
            return OpenTap(name: name, port: try await dataPath.openTap(on: feed, port: TapPort.preferred(for: name)))
        } catch {
            throw StartError("no port for the tap of \(name): \(error)")
        }
    }

    /// Runs until ``stop()``, then ends every process.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for channel in channels { group.addTask { await channel.run() } }
        }
        await dataPath.stop()
    }

    public func stop() {
        for channel in channels { channel.finish() }
    }
}
