/// Counts unauthenticated connections and wrong keys for each client network, and delays the answers to a network that
/// sent wrong keys.
///
/// Pure; times are nanoseconds of any clock that does not go back.
struct ClientThrottle {
    private struct Entry {
        var connections = 0
        var failures = 0
        var lastFailure: Int64 = 0
        /// When a key from the network was last checked before its delay was over.
        var lastEarlyCheck: Int64?
    }

    private var entries: [String: Entry] = [:]

    /// The largest number of networks that are remembered.
    static let maximumEntries = 4096
    /// The number of wrong keys without a delay, since people mistype keys.
    private static let freeFailures = 3
    private static let second: Int64 = 1_000_000_000
    private static let firstDelay = second / 10
    private static let longestDelay = second
    /// One failure is forgotten after each such time without another one.
    private static let failureLifetime = 10 * second
    private static let maximumFailures = 30

    /// The number of networks that are remembered now.
    var count: Int { entries.count }

    /// The number of unauthenticated connections from a network.
    func connections(from network: String) -> Int { entries[network]?.connections ?? 0 }

    mutating func addConnection(from network: String, now: Int64) {
        if entries[network] == nil, entries.count >= Self.maximumEntries { removeOldEntries(now: now) }
        entries[network, default: Entry()].connections += 1
    }

    /// An unauthenticated connection has ended or is now authenticated.
    mutating func removeConnection(from network: String, now: Int64) {
        guard var entry = entries[network] else { return }
        entry.connections = max(0, entry.connections - 1)
        entries[network] = entry.connections == 0 && failures(of: entry, now: now) == 0 ? nil : entry
    }

    mutating func recordFailure(from network: String, now: Int64) {
        guard var entry = entries[network] else { return }
        entry.failures = min(failures(of: entry, now: now) + 1, Self.maximumFailures)
        entry.lastFailure = now
        entries[network] = entry
    }

    /// A client in the network sent the right key.
    mutating func recordSuccess(from network: String) { entries[network]?.failures = 0 }

    /// The time before the next key from this network is checked, in nanoseconds.
    func delay(for network: String, now: Int64) -> Int64 {
        guard let entry = entries[network] else { return 0 }
        let failures = failures(of: entry, now: now)
        guard failures >= Self.freeFailures else { return 0 }
        return min(Self.firstDelay << min(failures - Self.freeFailures, 8), Self.longestDelay)
    }

    /// Whether the key of a connection is checked before the connection is evicted: one key of a network in each
    /// interval, in nanoseconds. So a publisher has a chance even if its network sends many wrong keys, and a client
    /// still cannot try keys as fast as it connects.
    mutating func mayCheckEarly(from network: String, every interval: Int64, now: Int64) -> Bool {
        guard var entry = entries[network], entry.lastEarlyCheck.map({ now - $0 >= interval }) ?? true else {
            return false
        }
        entry.lastEarlyCheck = now
        entries[network] = entry
        return true
    }

    private func failures(of entry: Entry, now: Int64) -> Int {
        max(0, entry.failures - Int((now - entry.lastFailure) / Self.failureLifetime))
    }

    private mutating func removeOldEntries(now: Int64) {
        entries = entries.filter { $0.value.connections > 0 || failures(of: $0.value, now: now) > 0 }
        // Every remembered network has failures: remove those with the oldest ones.
        guard entries.count >= Self.maximumEntries else { return }
        let oldest = entries.filter { $0.value.connections == 0 }
            .sorted { $0.value.lastFailure < $1.value.lastFailure }
        for entry in oldest.prefix(Self.maximumEntries / 4) { entries[entry.key] = nil }
    }
}
