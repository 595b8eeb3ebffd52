import NIOCore
import Synchronization

/// The open connections, up to a limit. At the limit, a new connection replaces the one that has been idle for the
/// longest time.
final class Connections: Sendable {
    private struct Entry {
        var channel: any Channel
        /// The time since which the connection is idle. `nil` while a request is being answered.
        var idleSince: UInt64?
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var turn: UInt64 = 0
        var isClosed = false
    }

    private let most: Int
    private let state = Mutex(State())

    init(most: Int) {
        self.most = most
    }

    var count: Int { state.withLock { $0.entries.count } }

    /// - Returns: `false` if the limit is reached and every connection has an open request.
    func add(_ channel: any Channel) -> Bool {
        var evicted: (any Channel)?
        let isAdded = state.withLock { state in
            guard !state.isClosed else { return false }
            if state.entries.count >= most {
                guard
                    let oldest = state.entries.filter({ $0.value.idleSince != nil }).min(by: {
                        $0.value.idleSince! < $1.value.idleSince!
                    })
                else { return false }
                evicted = oldest.value.channel
                state.entries[oldest.key] = nil
            }
            state.turn += 1
            state.entries[ObjectIdentifier(channel)] = Entry(channel: channel, idleSince: state.turn)
            return true
        }
        evicted?.close(promise: nil)
        return isAdded
    }

    func remove(_ channel: any Channel) {
        state.withLock { _ = $0.entries.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    func setIdle(_ isIdle: Bool, _ channel: any Channel) {
        state.withLock { state in
            state.turn += 1
            state.entries[ObjectIdentifier(channel)]?.idleSince = isIdle ? state.turn : nil
        }
    }

    /// Closes all connections, and those that are added later.
    func close() {
        let channels = state.withLock { state in
            state.isClosed = true
            return state.entries.values.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }
}
