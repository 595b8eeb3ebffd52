import CapabilityProbe
import Testing

/// A burst of events.
@Suite struct HotplugBurstTests {
    private func event(_ action: HotplugEvent.Action, _ path: String, wedgeRecovery: String? = nil) -> HotplugEvent {
        HotplugEvent(action: action, subsystem: "drm", path: path, wedgeRecovery: wedgeRecovery)
    }

    @Test("events are delivered after a quiet time, one for each device")
    func settles() {
        var burst = HotplugBurst()
        for round in 0..<50 {
            burst.add(event(round.isMultiple(of: 2) ? .add : .remove, "/sys/a"), now: Int64(round) * 1_000_000)
            burst.add(event(.add, "/sys/b"), now: Int64(round) * 1_000_000)
        }
        #expect(burst.settledEvents(now: 50_000_000).isEmpty)
        let events = burst.settledEvents(now: 49_000_000 + HotplugBurst.quiet)
        #expect(events.map { "\($0.action) \($0.path)" } == ["remove /sys/a", "add /sys/b"])
        #expect(burst.due == nil && burst.settledEvents(now: .max).isEmpty)
    }

    @Test("events that never stop are delivered all the same")
    func endless() {
        var burst = HotplugBurst()
        var delivered = 0
        for step in 0..<300 {
            let now = Int64(step) * 10_000_000
            burst.add(event(.change, "/sys/a"), now: now)
            delivered += burst.settledEvents(now: now).count
        }
        #expect((2...3).contains(delivered))
    }

    @Test("a device added and then changed counts as added, and a wedged one stays wedged")
    func merging() {
        var burst = HotplugBurst()
        burst.add(event(.add, "/sys/a"), now: 0)
        burst.add(event(.change, "/sys/a"), now: 1)
        burst.add(event(.change, "/sys/b", wedgeRecovery: "rebind"), now: 2)
        burst.add(event(.change, "/sys/b"), now: 3)
        let events = burst.settledEvents(now: HotplugBurst.longest)
        #expect(events.map(\.action) == [.add, .change])
        #expect(events[1].wedgeRecovery == "rebind")
    }
}
