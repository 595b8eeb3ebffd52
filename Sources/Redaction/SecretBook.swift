import Synchronization

/// The secrets that the service has had to do with: what leaves it as text is looked through for them once more.
///
/// They are kept out of texts where texts are made; this is the last line of defence. It knows them for as long as the
/// service runs, since a process may still use what the configuration no longer has.
package final class SecretBook: Sendable {
    private struct State {
        /// Oldest first.
        var values: [String] = []
        var known: Set<String> = []
        var redactor = Redactor()
    }

    private let state = Mutex(State())

    /// More than any box has; the oldest go.
    private static let limit = 4096

    package init() {}

    /// Remembers values. Plain words are left out: they are no secrets, and what the service says of itself would lack
    /// them.
    package func learn(_ values: [String]) {
        state.withLock { state in
            var fresh: [String] = []
            for value in values where !URLMask.isPlainWord(value) && state.known.insert(value).inserted {
                fresh.append(value)
            }
            guard !fresh.isEmpty else { return }
            state.values += fresh
            guard state.values.count > Self.limit else {
                state.redactor = state.redactor.adding(fresh)
                return
            }
            state.values = state.values.suffix(Self.limit)
            state.known = Set(state.values)
            state.redactor = Redactor(secrets: state.values)
        }
    }

    /// Knows what has been learned so far.
    package var redactor: Redactor { state.withLock { $0.redactor } }
}
