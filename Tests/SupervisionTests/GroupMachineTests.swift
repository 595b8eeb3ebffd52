import Supervision
import TestSupport
import Testing

/// Every state × event of a group's encoder, as one table.
@Suite struct GroupMachineTests {
    /// How a machine gets to a state, from the beginning. Generation 1 is the first to have the feed.
    private static let states: [(name: String, events: [GroupMachine.Event])] = [
        ("idle", []),
        ("starting", [.want(true)]),
        ("live", [.want(true), .delivering(1)]),
        ("handing", [.want(true), .delivering(1), .handOver(.operator_)]),
        ("handing,unwanted", [.want(true), .delivering(1), .handOver(.operator_), .want(false)]),
        ("stopped", [.want(true), .delivering(1), .handOver(.operator_), .want(false), .ended(1, .exit)]),
        ("handed", [.want(true), .delivering(1), .handOver(.operator_), .delivering(2)]),
        ("ending", [.want(true), .want(false)]),
        ("ending,wanted", [.want(true), .want(false), .want(true)]),
        ("killed", [.want(true), .delivering(1), .stalled(1)]),
        ("replacing", [.want(true), .delivering(1), .replace(.source)]),
        ("replacing,unwanted", [.want(true), .replace(.source), .want(false)]),
        ("pausing", [.want(true), .ended(1, .crash)]),
    ]

    private static let events: [(name: String, event: GroupMachine.Event)] = [
        ("want", .want(true)), ("unwant", .want(false)), ("delivering1", .delivering(1)), ("delivering2", .delivering(2)),
        ("stalled1", .stalled(1)), ("stalled2", .stalled(2)), ("replace", .replace(.source)), ("handover", .handOver(.config)),
        ("ended1", .ended(1, .crash)), ("ended2", .ended(2, .crash)), ("pause1", .pauseOver(1)), ("pause2", .pauseOver(2)),
    ]

    /// A cell is the next state and the effects; `.` changes nothing and does nothing.
    private static let table = """
        state              want             unwant              delivering1   delivering2          stalled1            stalled2    replace             handover             ended1              ended2              pause1           pause2
        idle               starting+launch1 .                   .             .                    .                   .           .                   .                    .                   .                   .                .
        starting           .                ending+stop1        live+promote1 .                    ending+kill1        .           ending+kill1        ending+kill1         pausing+pause1      .                   .                .
        live               .                ending+stop1        .             .                    ending+kill1        .           ending+kill1        live+ahead2          pausing+pause1      .                   .                .
        handing            .                ending+stop1+stop2  .             live+promote2+kill1  ending+kill2+kill1  live+kill2  ending+kill2+kill1  live+kill2+ahead3    pausing+kill2+pause1 .                  .                .
        handing,unwanted   .                .                   .             .                    .                   .           .                   .                    ending              .                   .                .
        stopped            .                .                   .             .                    .                   .           .                   .                    .                   idle                .                .
        handed             .                ending+stop2        .             .                    .                   ending+kill2 ending+kill2       live+ahead3          .                   pausing+pause2      .                .
        ending             .                .                   .             .                    .                   .           .                   .                    idle                .                   .                .
        ending,wanted      .                .                   .             .                    .                   .           .                   .                    pausing+pause1      .                   .                .
        killed             .                .                   .             .                    .                   .           .                   .                    pausing+pause1      .                   .                .
        replacing          .                .                   .             .                    .                   .           .                   .                    starting+launch2    .                   .                .
        replacing,unwanted .                .                   .             .                    .                   .           .                   .                    idle                .                   .                .
        pausing            .                idle                .             .                    .                   .           .                   starting+launch2     .                   .                   starting+launch2 .
        """

    /// A machine with its random numbers.
    private final class Driven {
        private(set) var machine: GroupMachine
        private var random = SeededRandom(seed: 1)

        init(_ events: [GroupMachine.Event] = [], burst: Int = 0) {
            machine = GroupMachine(policy: RestartPolicy(burst: burst, forgivenAfter: .seconds(10)))
            for event in events { send(event) }
        }

        @discardableResult
        func send(_ event: GroupMachine.Event, at now: Duration = .zero) -> [GroupMachine.Effect] {
            machine.handle(event, now: now, random: &random)
        }
    }

    private static func word(_ effect: GroupMachine.Effect) -> String {
        switch effect {
        case .launch(let generation, _): "launch\(generation)"
        case .launchAhead(let generation, _): "ahead\(generation)"
        case .promote(let generation): "promote\(generation)"
        case .stop(let generation): "stop\(generation)"
        case .kill(let generation): "kill\(generation)"
        case .pause(_, let generation): "pause\(generation)"
        }
    }

    @Test("generations that give no first picture are counted, until one does")
    func fruitlessStarts() {
        let driven = Driven([.want(true)], burst: 20)
        for generation in 1...3 {
            driven.send(.stalled(generation))
            driven.send(.ended(generation, .stall))
        }
        #expect(driven.machine.fruitless == 3)
        driven.send(.delivering(4))
        #expect(driven.machine.fruitless == 0)
        // One that has given pictures hangs for another reason.
        driven.send(.stalled(4))
        #expect(driven.machine.fruitless == 0)
    }

    @Test("each event in each state leads where the table says, and does what it says")
    func everyCell() throws {
        let rows = Self.table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        try #require(rows[0].dropFirst() == Self.events.map(\.name)[...])
        try #require(rows.dropFirst().map { $0[0] } == Self.states.map(\.name))
        for (row, state) in zip(rows.dropFirst(), Self.states) {
            for (cell, event) in zip(row.dropFirst(), Self.events) {
                let driven = Driven(state.events)
                let before = driven.machine.actual
                let effects = driven.send(event.event)
                let wanted = cell == "." ? "\(before)" : cell
                let found = (["\(driven.machine.actual)"] + effects.map(Self.word)).joined(separator: "+")
                #expect(found == wanted, "\(state.name), \(event.name)")
            }
        }
    }

    @Test("a launch knows why the generation before it ended", arguments: [HandoverCause.crash, .exit, .gpuLost])
    func cause(_ cause: HandoverCause) {
        let driven = Driven([.want(true), .delivering(1)], burst: 1)
        #expect(driven.send(.ended(1, cause)) == [.launch(2, cause)])
    }

    @Test("a generation that was told to end is not blamed for how it ended")
    func causeOfAWish() {
        let driven = Driven([.want(true), .delivering(1), .replace(.slow)])
        #expect(driven.send(.ended(1, .crash)) == [.launch(2, .slow)])
        let stalled = Driven([.want(true), .delivering(1), .stalled(1)], burst: 1)
        #expect(stalled.send(.ended(1, .crash)) == [.launch(2, .stall)])
    }

    @Test("a cause survives the pause behind it")
    func causeThroughPause() {
        let driven = Driven([.want(true), .delivering(1), .ended(1, .gpuError)])
        #expect(driven.send(.pauseOver(1)) == [.launch(2, .gpuError)])
    }

    @Test("after a handover the former generation's end is nobody's concern, and the new one's is")
    func formerEnds() {
        let driven = Driven([.want(true), .delivering(1), .handOver(.refresh), .delivering(2)], burst: 1)
        #expect(driven.send(.ended(1, .crash)).isEmpty)
        #expect(driven.machine.actual == .live)
        #expect(driven.send(.ended(2, .crash)) == [.launch(3, .crash)])
    }

    @Test("numbers of generations are never used twice, whatever happens", arguments: 1...50 as ClosedRange<UInt64>)
    func numbers(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let driven = Driven(burst: 2)
        var launched: [Int] = []
        var running: Set<Int> = []
        for step in 0..<400 {
            let known = running.randomElement(using: &random) ?? 0
            let event: GroupMachine.Event = switch Int.random(in: 0..<8, using: &random) {
            case 0: .want(.random(using: &random))
            case 1: .replace(.source)
            case 2: .handOver(.operator_)
            case 3: .stalled(known)
            case 4: .pauseOver(driven.machine.current)
            case 5, 6: .delivering(known)
            default: .ended(known, .exit)
            }
            if case .ended(let generation, _) = event { running.remove(generation) }
            for effect in driven.send(event, at: .seconds(step)) {
                switch effect {
                case .launch(let generation, _):
                    #expect(running.allSatisfy { $0 != driven.machine.current }, "two would have the feed, seed \(seed)")
                    launched.append(generation)
                    running.insert(generation)
                case .launchAhead(let generation, _):
                    #expect(running.contains(driven.machine.current), "ahead of nobody, seed \(seed)")
                    launched.append(generation)
                    running.insert(generation)
                case .stop(let generation), .kill(let generation):
                    #expect(launched.contains(generation))
                case .promote, .pause: break
                }
            }
        }
        #expect(Set(launched).count == launched.count)
    }
}
