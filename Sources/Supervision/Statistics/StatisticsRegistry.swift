import DataPath
import Synchronization

/// The ledgers of everything that has run since the service started, by the names that the metrics have.
///
/// A reload may put another process in a source's or target's place, or take a group away and bring it back: its
/// counters go on.
final class StatisticsRegistry: Sendable {
    private struct Books {
        var processes: [[String]: ProcessStatistics] = [:]
        var groups: [[String]: GroupStatistics] = [:]
        var channelBytes: [String: Int] = [:]
    }

    private let books = Mutex(Books())

    func source(_ id: String, of channel: String) -> ProcessStatistics { process([channel, id]) }

    func target(_ name: String, of group: String, in channel: String) -> ProcessStatistics {
        process([channel, group, name])
    }

    private func process(_ key: [String]) -> ProcessStatistics {
        books.withLock { books in
            let statistics = books.processes[key] ?? ProcessStatistics()
            books.processes[key] = statistics
            return statistics
        }
    }

    func group(_ name: String, in channel: String) -> GroupStatistics {
        books.withLock { books in
            let statistics = books.groups[[channel, name]] ?? GroupStatistics()
            books.groups[[channel, name]] = statistics
            return statistics
        }
    }

    /// Bytes that feeds of the channel took in which are no more.
    func formerBytes(of channel: String) -> Int { books.withLock { $0.channelBytes[channel] ?? 0 } }

    func keep(bytes: Int, of channel: String) { books.withLock { $0.channelBytes[channel, default: 0] += bytes } }
}
