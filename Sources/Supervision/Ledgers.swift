import DataPath
import Synchronization

/// The ledgers of everything that has run since the service started, by the names that the metrics have.
///
/// A reload may put another process in a source's or target's place, or take a group away and bring it back: its
/// counters go on.
final class Ledgers: Sendable {
    private struct Books {
        var processes: [[String]: ProcessLedger] = [:]
        var groups: [[String]: GroupLedger] = [:]
        var channelBytes: [String: Int] = [:]
    }

    private let books = Mutex(Books())

    func source(_ id: String, of channel: String) -> ProcessLedger { process([channel, id]) }

    func target(_ name: String, of group: String, in channel: String) -> ProcessLedger {
        process([channel, group, name])
    }

    private func process(_ key: [String]) -> ProcessLedger {
        books.withLock { books in
            let ledger = books.processes[key] ?? ProcessLedger()
            books.processes[key] = ledger
            return ledger
        }
    }

    func group(_ name: String, in channel: String) -> GroupLedger {
        books.withLock { books in
            let ledger = books.groups[[channel, name]] ?? GroupLedger()
            books.groups[[channel, name]] = ledger
            return ledger
        }
    }

    /// Bytes that feeds of the channel took in which are no more.
    func formerBytes(of channel: String) -> Int { books.withLock { $0.channelBytes[channel] ?? 0 } }

    func keep(bytes: Int, of channel: String) { books.withLock { $0.channelBytes[channel, default: 0] += bytes } }
}
