import Supervision
import TestSupport
import Testing

/// Every state × event of an encoder, as one table.
@Suite struct GroupMachineTests {
    /// The events that lead to a state, from the start. Generation 1 is the first to have the output.
    private static let states: [(name: String, events: [GroupMachine.Event])] = [
        ("idle", []),
        ("starting", [.want(true)]),
        ("live", [.want(true), .delivering(1)]),
        ("handing", [.want(true), .delivering(1), .handOver(.byOperator)]),
        ("dropping", [.want(true), .delivering(1), .handOver(.byOperator), .handOver(.byOperator)]),
        ("handing,unwanted", [.want(true), .delivering(1), .handOver(.byOperator), .want(false)]),
        ("stopped", [.want(true), .delivering(1), .handOver(.byOperator), .want(false), .ended(1, .exit)]),
        ("handed", [.want(true), .delivering(1), .handOver(.byOperator), .delivering(2)]),
        ("ending", [.want(true), .want(false)]),
        ("ending,wanted", [.want(true), .want(false), .want(true)]),
        ("killed", [.want(true), .delivering(1), .stalled(1)]),
        ("replacing", [.want(true), .delivering(1), .replace(.source)]),
        ("replacing,unwanted", [.want(true), .replace(.source), .want(false)]),
        ("pausing", [.want(true), .ended(1, .crash)]),
    ]

    private static let events: [(name: String, event: GroupMachine.Event)] = [
        ("want", .want(true)), ("unwant", .want(false)), ("delivering1", .delivering(1)),
        ("delivering2", .delivering(2)),
        ("stalled1", .stalled(1)), ("stalled2", .stalled(2)), ("replace", .replace(.source)),
        ("handover", .handOver(.config)),
        ("ended1", .ended(1, .crash)), ("ended2", .ended(2, .crash)), ("pause1", .pauseOver(1)),
        ("pause2", .pauseOver(2)),
    ]

    /// A cell is the next state and the effects; `.` changes nothing and has no effect.
    private static func table() throws -> TransitionTable {
        try TransitionTable(
            """
            state              want             unwant             delivering1   delivering2
            idle               starting+launch1 .                  .             .
            starting           .                ending+stop1       live+promote1 .
            live               .                ending+stop1       .             .
            handing            .                ending+stop1+stop2 .             live+promote2+kill1
            dropping           .                ending+stop1       .             .
            handing,unwanted   .                .                  .             .
            stopped            .                .                  .             .
            handed             .                ending+stop2       .             .
            ending             .                .                  .             .
            ending,wanted      .                .                  .             .
            killed             .                .                  .             .
            replacing          .                .                  .             .
            replacing,unwanted .                .                  .             .
            pausing            .                idle               .             .
            """,
            """
            state              stalled1           stalled2     replace            handover
            idle               .                  .            .                  .
            starting           ending+kill1       .            ending+kill1       ending+kill1
            live               ending+kill1       .            ending+kill1       live+ahead2
            handing            ending+kill2+kill1 live+kill2   ending+kill2+kill1 live+kill2
            dropping           ending+kill1       .            ending+kill1       .
            handing,unwanted   .                  .            .                  .
            stopped            .                  .            .                  .
            handed             .                  ending+kill2 ending+kill2       live+ahead3
            ending             .                  .            .                  .
            ending,wanted      .                  .            .                  .
            killed             .                  .            .                  .
            replacing          .                  .            .                  .
            replacing,unwanted .                  .            .                  .
            pausing            .                  .            .                  starting+launch2
            """,
            """
            state              ended1               ended2         pause1           pause2
            idle               .                    .              .                .
            starting           pausing+pause1       .              .                .
            live               pausing+pause1       .              .                .
            handing            pausing+kill2+pause1 .              .                .
            dropping           pausing+pause1       live+ahead3    .                .
            handing,unwanted   ending               .              .                .
            stopped            .                    idle           .                .
            handed             .                    pausing+pause2 .                .
            ending             idle                 .              .                .
            ending,wanted      pausing+pause1       .              .                .
            killed             pausing+pause1       .              .                .
            replacing          starting+launch2     .              .                .
            replacing,unwanted idle                 .              .                .
            pausing            .                    .              starting+launch2 .
            """)
    }

    /// A machine with its random numbers.
    private final class Driven {
        private(set) var machine: GroupMachine
        private var random = SeededRandom(seed: 1)

        init(_ events: [GroupMachine.Event] = [], immediateRestarts: Int = 0) {
            machine = GroupMachine(
                policy: RestartPolicy(immediateRestarts: immediateRestarts, forgivenAfter: .seconds(10)))
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

    @Test("generations without a first frame are counted until one gives a frame")
    func fruitlessStarts() {
        let driven = Driven([.want(true)], immediateRestarts: 20)
        for generation in 1...3 {
            driven.send(.stalled(generation))
            driven.send(.ended(generation, .stall))
        }
        #expect(driven.machine.fruitless == 3)
        driven.send(.delivering(4))
        #expect(driven.machine.fruitless == 0)
        // A generation that has given frames hangs for another reason.
        driven.send(.stalled(4))
        #expect(driven.machine.fruitless == 0)
    }

    @Test("every state and event give the state and effects of the table")
    func everyCell() throws {
        let table = try Self.table()
        try #require(table.events == Self.events.map(\.name))
        try #require(table.rows.map(\.state) == Self.states.map(\.name))
        for (row, state) in zip(table.rows, Self.states) {
            for (cell, event) in zip(row.cells, Self.events) {
                let driven = Driven(state.events)
                let before = driven.machine.actual
                let effects = driven.send(event.event)
                let wanted = cell == "." ? "\(before)" : cell
                let found = (["\(driven.machine.actual)"] + effects.map(Self.word)).joined(separator: "+")
                #expect(found == wanted, "\(state.name), \(event.name)")
            }
        }
    }

    @Test(
        "a launch has the cause for which the generation before it ended",
        arguments: [HandoverCause.crash, .exit, .gpuLost])
    func cause(_ cause: HandoverCause) {
        let driven = Driven([.want(true), .delivering(1)], immediateRestarts: 1)
        #expect(driven.send(.ended(1, cause)) == [.launch(2, cause)])
    }

    @Test("the exit of a generation that was asked to end is not the cause")
    func causeOfAWish() {
        let driven = Driven([.want(true), .delivering(1), .replace(.slow)])
        #expect(driven.send(.ended(1, .crash)) == [.launch(2, .slow)])
        let stalled = Driven([.want(true), .delivering(1), .stalled(1)], immediateRestarts: 1)
        #expect(stalled.send(.ended(1, .crash)) == [.launch(2, .stall)])
    }

    @Test("a launch after a pause has the cause from before the pause")
    func causeThroughPause() {
        let driven = Driven([.want(true), .delivering(1), .ended(1, .gpuError)])
        #expect(driven.send(.pauseOver(1)) == [.launch(2, .gpuError)])
    }

    @Test("after a handover only the end of the new generation starts another one")
    func formerEnds() {
        let driven = Driven([.want(true), .delivering(1), .handOver(.refresh), .delivering(2)], immediateRestarts: 1)
        #expect(driven.send(.ended(1, .crash)).isEmpty)
        #expect(driven.machine.actual == .live)
        #expect(driven.send(.ended(2, .crash)) == [.launch(3, .crash)])
    }

    @Test(
        "an owed successor that fails is followed by another after growing pauses",
        arguments: [HandoverCause.config, .source])
    func owed(cause: HandoverCause) {
        let driven = Driven([.want(true), .delivering(1), .handOver(cause)], immediateRestarts: 1)
        #expect(driven.send(.ended(2, .exit)) == [.launchAhead(3, cause)])
        guard case .pause(let pause, 3)? = driven.send(.ended(3, .exit)).first else {
            return #expect(Bool(false), "no pause")
        }
        #expect(pause > .zero)
        #expect(driven.send(.pauseOver(3)) == [.launchAhead(4, cause)])
        driven.send(.delivering(4))
        #expect(driven.machine.current == 4)
        // The wanted encoder runs.
        driven.send(.handOver(.byOperator))
        #expect(driven.send(.ended(5, .exit)).isEmpty)
    }

    /// Processes and a data path as the machine sees them. A generation runs the configuration of the moment at which
    /// its command was made.
    private struct World {
        struct Process {
            var configuration: Int?
            var isAhead: Bool
            var isAskedToEnd = false
        }
        var wanted = false
        var configuration = 0
        var processes: [Int: Process] = [:]
        var pauses: [Int] = []

        /// Makes the command of a process, if it is not made yet.
        mutating func prepare(_ generation: Int) {
            guard var process = processes[generation], process.configuration == nil else { return }
            process.configuration = configuration
            processes[generation] = process
        }

        mutating func take(_ effects: [GroupMachine.Effect]) {
            for effect in effects {
                switch effect {
                case .launch(let generation, _): processes[generation] = Process(isAhead: false)
                case .launchAhead(let generation, _):
                    // The output takes one successor at a time, and another one ends at once.
                    let isRefused = processes.values.contains { $0.isAhead }
                    processes[generation] = Process(isAhead: !isRefused, isAskedToEnd: isRefused)
                case .promote(let generation): processes[generation]?.isAhead = false
                case .stop(let generation), .kill(let generation): processes[generation]?.isAskedToEnd = true
                case .pause(_, let generation): pauses.append(generation)
                }
            }
        }
    }

    @Test(
        "after any events in any order the wanted configuration runs in the end",
        arguments: 1...300 as ClosedRange<UInt64>)
    func lastWishWins(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let driven = Driven(immediateRestarts: Int.random(in: 0...4, using: &random))
        var world = World()
        func end(_ generation: Int) {
            world.processes[generation] = nil
            world.take(driven.send(.ended(generation, .exit)))
        }
        func deliver(_ generation: Int) {
            world.prepare(generation)
            world.take(driven.send(.delivering(generation)))
        }
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            let process = world.processes.keys.sorted().randomElement(using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                world.wanted.toggle()
                world.take(driven.send(.want(world.wanted)))
            case 1, 2, 3:
                world.configuration += 1
                world.take(driven.send(.handOver(.config)))
            case 4:
                world.take(driven.send(.handOver([.byOperator, .refresh, .failBack].randomElement(using: &random)!)))
            case 5: world.take(driven.send(.replace([.source, .slow].randomElement(using: &random)!)))
            case 6: if let process { world.take(driven.send(.stalled(process))) }
            case 7: if let process { end(process) }
            case 8: if let process { world.prepare(process) }
            default:
                if let process, world.processes[process]?.isAskedToEnd == false { deliver(process) }
            }
            if !world.pauses.isEmpty, Bool.random(using: &random) {
                world.take(driven.send(.pauseOver(world.pauses.removeFirst())))
            }
        }
        // From now on everything works.
        for _ in 0..<1000 {
            if let told = world.processes.first(where: { $0.value.isAskedToEnd })?.key {
                end(told)
            } else if !world.pauses.isEmpty {
                world.take(driven.send(.pauseOver(world.pauses.removeFirst())))
            } else if let starting = world.processes.keys.sorted().first(where: {
                $0 != driven.machine.current || driven.machine.actual == .starting
            }) {
                deliver(starting)
            } else {
                break
            }
        }
        let machine = driven.machine
        #expect(machine.wanted == world.wanted)
        if world.wanted {
            #expect(
                machine.actual == .live && Array(world.processes.keys) == [machine.current], "seed \(seed): \(machine)")
            #expect(world.processes[machine.current]?.configuration == world.configuration, "seed \(seed): \(machine)")
        } else {
            #expect(machine.actual == .idle && world.processes.isEmpty, "seed \(seed): \(machine)")
        }
    }

    @Test("random events never use the number of a generation twice", arguments: 1...50 as ClosedRange<UInt64>)
    func numbers(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let driven = Driven(immediateRestarts: 2)
        var launched: [Int] = []
        var running: Set<Int> = []
        for step in 0..<400 {
            let known = running.randomElement(using: &random) ?? 0
            let event: GroupMachine.Event =
                switch Int.random(in: 0..<8, using: &random) {
                case 0: .want(.random(using: &random))
                case 1: .replace(.source)
                case 2: .handOver(.byOperator)
                case 3: .stalled(known)
                case 4: .pauseOver(driven.machine.current)
                case 5, 6: .delivering(known)
                default: .ended(known, .exit)
                }
            if case .ended(let generation, _) = event { running.remove(generation) }
            for effect in driven.send(event, at: .seconds(step)) {
                switch effect {
                case .launch(let generation, _):
                    #expect(
                        running.allSatisfy { $0 != driven.machine.current }, "two would have the feed, seed \(seed)")
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
