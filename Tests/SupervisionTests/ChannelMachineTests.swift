import Supervision
import Testing

@Suite struct ChannelMachineTests {
    typealias Event = ChannelMachine.Event
    typealias Effect = ChannelMachine.Effect

    private final class Driven {
        private var machine: ChannelMachine
        init(_ isOwn: [Bool]) { machine = ChannelMachine(isOwn: isOwn) }
        @discardableResult func send(_ event: Event) -> [Effect] { machine.handle(event) }
    }

    private static let listenerAndTest = [false, true]

    @Test("a channel starts -> every source runs")
    func start() {
        #expect(ChannelMachine(isOwn: [false, true, true]).initial == [.run(0), .run(1), .run(2)])
    }

    @Test(
        "a sequence of events -> its effects",
        arguments: [
            // A better source comes: the test picture rests once that has settled.
            (
                [.source(1, delivers: true), .source(0, delivers: true), .settled(change: 2)],
                [.settle(change: 1), .settle(change: 2), .rest(1)]
            ),
            // It goes before it has settled: nothing rests.
            ([.source(0, delivers: true), .source(0, delivers: false), .settled(change: 1)], [.settle(change: 1)]),
            // It goes afterwards: the test picture runs again.
            (
                [.source(0, delivers: true), .settled(change: 1), .source(0, delivers: false)],
                [.settle(change: 1), .rest(1), .run(1)]
            ),
            // The same event twice changes nothing.
            (
                [.source(0, delivers: true), .source(0, delivers: true), .settled(change: 1)],
                [.settle(change: 1), .rest(1)]
            ),
            // The test picture itself does not make the listener rest.
            ([.source(1, delivers: true), .settled(change: 1)], [.settle(change: 1)]),
            // The end of a source that rests is no news.
            (
                [
                    .source(1, delivers: true), .source(0, delivers: true), .settled(change: 2),
                    .source(1, delivers: false),
                ],
                [.settle(change: 1), .settle(change: 2), .rest(1)]
            ),
        ] as [([Event], [Effect])])
    func listenerThenTest(events: [Event], effects: [Effect]) {
        let machine = Driven(Self.listenerAndTest)
        #expect(events.flatMap { machine.send($0) } == effects)
    }

    @Test("a source of lower priority delivers -> an own source above it runs")
    func ownFirst() {
        let machine = Driven([true, false])
        #expect(machine.send(.source(1, delivers: true)) == [.settle(change: 1)])
        #expect(machine.send(.settled(change: 1)) == [])
        #expect(machine.send(.source(0, delivers: true)) == [.settle(change: 2)])
        #expect(machine.send(.settled(change: 2)) == [])
    }

    @Test("several own sources -> only the first continues")
    func severalOwn() {
        let machine = Driven([true, true, true])
        machine.send(.source(2, delivers: true))
        machine.send(.source(0, delivers: true))
        #expect(machine.send(.settled(change: 2)) == [.rest(1), .rest(2)])
        #expect(machine.send(.source(0, delivers: false)) == [.run(1), .run(2)])
    }

    @Test("another source ends -> an own source that is not needed still stops")
    func endOfAnother() {
        // Two listeners and the test picture; the second listener's publisher leaves while the first one settles.
        let machine = Driven([false, false, true])
        machine.send(.source(1, delivers: true))
        machine.send(.source(0, delivers: true))
        let effects = machine.send(.source(1, delivers: false))
        #expect(effects == [.settle(change: 3)])
        #expect(machine.send(.settled(change: 3)) == [.rest(2)])
    }
}
