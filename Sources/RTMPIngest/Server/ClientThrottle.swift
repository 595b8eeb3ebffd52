/// Who has how many connections, and who showed wrong keys: they are answered later and later.
///
/// Pure; times are nanoseconds of any clock that does not go back.
struct ClientThrottle {
    private struct Entry {
        var strangers = 0
        var failures = 0
        var lastFailure: Int64 = 0
        /// When a key of it was last looked at before its time.
        var lastEarlyLook: Int64?
    }

    private var entries: [String: Entry] = [:]

    /// Addresses that are remembered.
    static let most = 4096
    /// Wrong keys that cost nothing: a key is mistyped before it is right.
    private static let free = 3
    private static let second: Int64 = 1_000_000_000
    private static let firstDelay = second / 10
    private static let longestDelay = second
    /// After so long without another one, a failure is forgiven.
    private static let forgiveness = 10 * second
    private static let mostFailures = 30

    /// Addresses that are remembered now.
    var count: Int { entries.count }

    func strangers(of address: String) -> Int { entries[address]?.strangers ?? 0 }

    mutating func came(_ address: String, now: Int64) {
        if entries[address] == nil, entries.count >= Self.most { forget(now: now) }
        entries[address, default: Entry()].strangers += 1
    }

    /// A stranger left, or is none any more.
    mutating func went(_ address: String, now: Int64) {
        guard var entry = entries[address] else { return }
        entry.strangers = max(0, entry.strangers - 1)
        entries[address] = entry.strangers == 0 && failures(of: entry, now: now) == 0 ? nil : entry
    }

    mutating func failed(_ address: String, now: Int64) {
        guard var entry = entries[address] else { return }
        entry.failures = min(failures(of: entry, now: now) + 1, Self.mostFailures)
        entry.lastFailure = now
        entries[address] = entry
    }

    /// It showed the right key.
    mutating func succeeded(_ address: String) { entries[address]?.failures = 0 }

    /// How long the next key of this address is left unread, in nanoseconds.
    func delay(for address: String, now: Int64) -> Int64 {
        guard let entry = entries[address] else { return 0 }
        let failures = failures(of: entry, now: now)
        guard failures >= Self.free else { return 0 }
        return min(Self.firstDelay << min(failures - Self.free, 8), Self.longestDelay)
    }

    /// Whether a key that cannot wait any longer is looked at: one of an address in so many nanoseconds. A publisher
    /// among many with wrong keys that come from its own address has a chance with each attempt, and nobody can try
    /// keys as fast as it connects.
    mutating func mayLookEarly(at address: String, every interval: Int64, now: Int64) -> Bool {
        guard var entry = entries[address], entry.lastEarlyLook.map({ now - $0 >= interval }) ?? true else {
            return false
        }
        entry.lastEarlyLook = now
        entries[address] = entry
        return true
    }

    private func failures(of entry: Entry, now: Int64) -> Int {
        max(0, entry.failures - Int((now - entry.lastFailure) / Self.forgiveness))
    }

    private mutating func forget(now: Int64) {
        entries = entries.filter { $0.value.strangers > 0 || failures(of: $0.value, now: now) > 0 }
        // Everybody has failed: those longest ago are forgiven.
        guard entries.count >= Self.most else { return }
        let oldest = entries.filter { $0.value.strangers == 0 }.sorted { $0.value.lastFailure < $1.value.lastFailure }
        for entry in oldest.prefix(Self.most / 4) { entries[entry.key] = nil }
    }
}
