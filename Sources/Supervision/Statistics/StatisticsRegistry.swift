import DataPath
import Synchronization

/// The statistics of all sources, groups and targets since the service started, by the names of the metrics.
///
/// A reload may replace the process of a source or target, or remove a group and add it again. The counters continue.
final class StatisticsRegistry: Sendable {
    private struct Entries {
        var processes: [[String]: ProcessStatistics] = [:]
        var groups: [[String]: GroupStatistics] = [:]
        var channelBytes: [String: Int] = [:]
    }

    private let entries = Mutex(Entries())

    func source(_ id: String, of channel: String) -> ProcessStatistics { process([channel, id]) }

    func target(_ name: String, of group: String, in channel: String) -> ProcessStatistics {
        process([channel, group, name])
    }

    private func process(_ key: [String]) -> ProcessStatistics {
        entries.withLock { entries in
            let statistics = entries.processes[key] ?? ProcessStatistics()
            entries.processes[key] = statistics
            return statistics
        }
    }

    func group(_ name: String, in channel: String) -> GroupStatistics {
        entries.withLock { entries in
            let statistics = entries.groups[[channel, name]] ?? GroupStatistics()
            entries.groups[[channel, name]] = statistics
            return statistics
        }
    }

    /// The bytes that the channel's former feeds took in.
    func formerBytes(of channel: String) -> Int { entries.withLock { $0.channelBytes[channel] ?? 0 } }

    func keep(bytes: Int, of channel: String) { entries.withLock { $0.channelBytes[channel, default: 0] += bytes } }
}
