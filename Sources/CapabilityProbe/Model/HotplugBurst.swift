/// Collects events until a device has settled, and keeps the last event of each device.
///
/// Pure: times are inputs, in nanoseconds of a clock that does not go back.
package struct HotplugBurst: Sendable {
    /// How many nanoseconds without an event pass before the collected events are delivered.
    package static let quiet: Int64 = 100_000_000
    /// After how many nanoseconds the collected events are delivered although further events arrive.
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
            // A device that was added and then changed counts as added. A wedged one stays wedged until it is removed.
            if before.action == .add, event.action == .change { event.action = .add }
            if event.action == .change { event.wedgeRecovery = event.wedgeRecovery ?? before.wedgeRecovery }
        }
        events.append(event)
    }

    /// When to call ``settledEvents(now:)``, in nanoseconds. `nil` while there are no events.
    package var due: Int64? { events.isEmpty ? nil : min(last + Self.quiet, first + Self.longest) }

    /// Removes and returns the collected events, if the devices have settled. Empty before that.
    package mutating func settledEvents(now: Int64) -> [HotplugEvent] {
        guard let due, now >= due else { return [] }
        defer { events = [] }
        return events
    }
}
