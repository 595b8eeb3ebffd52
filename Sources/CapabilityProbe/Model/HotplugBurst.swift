/// Gathers events until a device has come to rest: one event a device, the last that counts.
///
/// Pure; times are nanoseconds of any clock that does not go back.
package struct HotplugBurst: Sendable {
    /// Nanoseconds without an event after which what was gathered is delivered.
    package static let quiet: Int64 = 100_000_000
    /// Nanoseconds after which it is delivered although events go on.
    package static let longest: Int64 = 1_000_000_000

    private var events: [HotplugEvent] = []
    private var first: Int64 = 0
    private var last: Int64 = 0

    package init() {}

    package mutating func add(_ event: HotplugEvent, now: Int64) {
        if events.isEmpty { first = now }
        last = now
        var event = event
        if let index = events.firstIndex(where: { $0.path == event.path }) {
            let before = events.remove(at: index)
            // A device that was added and changed is one that was added; a wedged one stays so until it goes.
            if before.action == .add, event.action == .change { event.action = .add }
            if event.action == .change { event.wedged = event.wedged ?? before.wedged }
        }
        events.append(event)
    }

    /// When to look again; `nil` while there is nothing.
    package var due: Int64? { events.isEmpty ? nil : min(last + Self.quiet, first + Self.longest) }

    /// What has come to rest; empty before that.
    package mutating func take(now: Int64) -> [HotplugEvent] {
        guard let due, now >= due else { return [] }
        defer { events = [] }
        return events
    }
}
