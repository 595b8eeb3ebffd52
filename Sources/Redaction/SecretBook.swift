import Synchronization

/// The secrets that the service has used. Every text that leaves the service is searched for them once more.
///
/// Texts are built without secrets, so this is a second protection. It keeps secrets as long as the service runs,
/// because a process may still use one that the configuration no longer has.
package final class SecretBook: Sendable {
    private struct State {
        /// The secrets, oldest first.
        var values: [String] = []
        var known: Set<String> = []
        var redactor = Redactor()
    }

    private let state = Mutex(State())

    /// The most secrets that are kept, which is more than any box has. Beyond it the oldest are forgotten.
    private static let limit = 4096

    package init() {}

    /// Remembers values. Plain words are left out: they are not secrets, and would be missing from the service's own
    /// messages.
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

    /// A redactor for all values learned so far.
    package var redactor: Redactor { state.withLock { $0.redactor } }
}
