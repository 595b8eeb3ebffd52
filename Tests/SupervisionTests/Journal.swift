import Synchronization

/// Entries in their order. A test can wait for one.
final class Journal<Entry: Sendable & Equatable>: Sendable {
    private struct State {
        var entries: [Entry] = []
        var waiting: [(entry: Entry, times: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var all: [Entry] { state.withLock { $0.entries } }

    func add(_ entry: Entry) {
        let done = state.withLock { state in
            state.entries.append(entry)
            let entries = state.entries
            func isDone(_ entry: Entry, _ times: Int) -> Bool { entries.filter { $0 == entry }.count >= times }
            let done = state.waiting.filter { isDone($0.entry, $0.times) }.map(\.continuation)
            state.waiting.removeAll { isDone($0.entry, $0.times) }
            return done
        }
        for continuation in done { continuation.resume() }
    }

    /// Waits until an entry has been added this often.
    func until(_ entry: Entry, times: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.entries.filter({ $0 == entry }).count >= times { return true }
                state.waiting.append((entry, times, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}
