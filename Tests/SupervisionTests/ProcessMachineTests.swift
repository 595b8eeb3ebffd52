import Supervision
import TestSupport
import Testing

/// Every state × event, as one table.
@Suite struct ProcessMachineTests {
    /// The events that lead to a state, from the start.
    private static let states: [(name: String, events: [ProcessMachine.Event])] = [
        ("idle", []),
        ("starting", [.want(true)]),
        ("stuck", [.want(true), .stalled]),
        ("live", [.want(true), .delivering]),
        ("stalled", [.want(true), .delivering, .stalled]),
        ("ending", [.want(true), .want(false)]),
        ("ending,wanted", [.want(true), .want(false), .want(true)]),
        ("replacing", [.want(true), .replace]),
        ("replacing,unwanted", [.want(true), .replace, .want(false)]),
        ("killed", [.want(true), .stalled, .patienceOver(stall: 1)]),
        ("pausing", [.want(true), .ended]),
    ]

    private static let events: [(name: String, event: ProcessMachine.Event)] = [
        ("want", .want(true)), ("unwant", .want(false)), ("delivering", .delivering), ("recovered", .recovered),
        ("stalled", .stalled), ("complete", .complete),
        ("patience", .patienceOver(stall: 1)), ("patience-old", .patienceOver(stall: 0)), ("replace", .replace),
        ("hurry", .hurry), ("ended", .ended), ("pause", .pauseOver(start: 1)), ("pause-old", .pauseOver(start: 0)),
    ]

    /// A cell is the next state and the effect; `.` changes nothing and has no effect.
    private static func table() throws -> TransitionTable {
        try TransitionTable(
            """
            state              want            unwant      delivering recovered stalled          complete patience
            idle               starting+launch .           .          .         .                .        .
            starting           .               ending+stop live       .         starting+patient .        .
            stuck              .               ending+stop live       .         .                .        ending+kill
            live               .               ending+stop .          .         stalled+patient  .        .
            stalled            .               ending+stop live       live      .                .        ending+kill
            ending             .               .           .          .         .                .        .
            ending,wanted      .               .           .          .         .                .        .
            replacing          .               .           .          .         .                .        .
            replacing,unwanted .               .           .          .         .                .        .
            killed             .               .           .          .         .                .        .
            pausing            .               idle        .          .         .                .        .
            """,
            """
            state              patience-old replace     hurry           ended           pause           pause-old
            idle               .            .           .               .               .               .
            starting           .            ending+kill .               pausing+pause   .               .
            stuck              .            ending+kill .               pausing+pause   .               .
            live               .            ending+kill .               pausing+pause   .               .
            stalled            .            ending+kill .               pausing+pause   .               .
            ending             .            .           .               idle            .               .
            ending,wanted      .            .           .               pausing+pause   .               .
            replacing          .            .           .               starting+launch .               .
            replacing,unwanted .            .           .               idle            .               .
            killed             .            .           .               pausing+pause   .               .
            pausing            .            .           starting+launch .               starting+launch .
            """)
    }

    /// A machine with its random numbers.
    private final class Driven {
        private var machine: ProcessMachine
        private var random = SeededRandom(seed: 1)

        init(_ events: [ProcessMachine.Event] = [], immediateRestarts: Int = 0) {
            machine = ProcessMachine(
                policy: RestartPolicy(immediateRestarts: immediateRestarts, forgivenAfter: .seconds(10)),
                stallPatience: .seconds(2))
            for event in events { send(event) }
        }

        var actual: ProcessMachine.Actual { machine.actual }
        var wanted: Bool { machine.wanted }
        var starts: Int { machine.starts }

        @discardableResult
        func send(_ event: ProcessMachine.Event, at now: Duration = .zero) -> [ProcessMachine.Effect] {
            machine.handle(event, now: now, random: &random)
        }
    }

    private static func word(_ effect: ProcessMachine.Effect) -> String {
        switch effect {
        case .launch: "launch"
        case .stop: "stop"
        case .kill: "kill"
        case .pause: "pause"
        case .bePatient: "patient"
        }
    }

    @Test("every state and event give the state and effect of the table")
    func everyCell() throws {
        let table = try Self.table()
        try #require(table.events == Self.events.map(\.name))
        try #require(table.rows.map(\.state) == Self.states.map(\.name))
        for (row, state) in zip(table.rows, Self.states) {
            for (cell, event) in zip(row.cells, Self.events) {
                let machine = Driven(state.events)
                let before = machine.actual
                let effects = machine.send(event.event)
                let wanted = cell == "." ? "\(before)" : cell
                let found = (["\(machine.actual)"] + effects.map(Self.word)).joined(separator: "+")
                #expect(found == wanted, "\(state.name), \(event.name)")
            }
        }
    }

    @Test("a start or stop is remembered in every state")
    func wanted() {
        for state in Self.states {
            for isWanted in [true, false] {
                let machine = Driven(state.events)
                machine.send(.want(isWanted))
                #expect(machine.wanted == isWanted, "\(state.name)")
            }
        }
    }

    @Test("the time limit of a stall that is over does not end a later stall")
    func staleStall() {
        let machine = Driven([.want(true), .delivering, .stalled, .delivering, .stalled])
        #expect(machine.send(.patienceOver(stall: 1)) == [])
        #expect(machine.actual == .stalled)
        #expect(machine.send(.patienceOver(stall: 2)) == [.kill])
    }

    @Test("the limit for the first delivery doubles after each process without one")
    func growingPatience() {
        let machine = Driven([.want(true)], immediateRestarts: 20)
        var stalls = 0
        func stall() -> [ProcessMachine.Effect] {
            stalls += 1
            return machine.send(.stalled)
        }
        for seconds in [2, 4, 8, 16, 16] {
            #expect(stall() == [.bePatient(.seconds(seconds), stall: stalls)])
            #expect(machine.send(.patienceOver(stall: stalls)) == [.kill])
            #expect(machine.send(.ended) == [.launch])
        }
        machine.send(.delivering)
        #expect(stall() == [.bePatient(.seconds(2), stall: stalls)])
        machine.send(.patienceOver(stall: stalls))
        machine.send(.ended)
        #expect(stall() == [.bePatient(.seconds(2), stall: stalls)])
    }

    @Test("the limit of a start applies until the first delivery, and only to that start")
    func startPatience() {
        var machine = ProcessMachine(
            policy: RestartPolicy(immediateRestarts: 20, forgivenAfter: .seconds(10)), stallPatience: .seconds(2),
            startPatience: .seconds(60))
        var random = SeededRandom(seed: 1)
        func send(_ event: ProcessMachine.Event) -> [ProcessMachine.Effect] {
            machine.handle(event, now: .zero, random: &random)
        }
        _ = send(.want(true))
        #expect(send(.stalled) == [.bePatient(.seconds(60), stall: 1)])
        #expect(machine.actual == .starting)
        #expect(send(.ended) == [.launch])
        #expect(send(.patienceOver(stall: 1)) == [])
        #expect(send(.stalled) == [.bePatient(.seconds(60), stall: 2)])
        _ = send(.delivering)
        #expect(machine.actual == .live)
        #expect(send(.patienceOver(stall: 2)) == [])
        #expect(send(.stalled) == [.bePatient(.seconds(2), stall: 3)])
    }

    @Test("a publisher that reads its input late is not ended before it is connected")
    func lateReader() {
        let machine = Driven([.want(true), .stalled, .recovered])
        #expect(machine.actual == .starting)
        // It has read its input, so the time limit of the start no longer counts.
        #expect(machine.send(.patienceOver(stall: 1)) == [])
        machine.send(.delivering)
        #expect(machine.actual == .live)
    }

    @Test("a publisher that stalls again before it is connected gets a new time limit")
    func stopsAgain() {
        let machine = Driven([.want(true), .stalled, .recovered])
        #expect(machine.send(.stalled) == [.bePatient(.seconds(2), stall: 2)])
        #expect(machine.send(.patienceOver(stall: 1)) == [])
        #expect(machine.send(.patienceOver(stall: 2)) == [.kill])
    }

    @Test("a pause from before the newest start launches nothing")
    func stalePause() {
        let machine = Driven([.want(true), .ended, .want(false), .want(true), .ended])
        #expect(machine.starts == 2)
        #expect(machine.send(.pauseOver(start: 1)) == [])
        #expect(machine.send(.pauseOver(start: 2)) == [.launch])
    }

    @Test("a healthy process resets the count of ends, so the next start is at once")
    func forgiveness() {
        let machine = Driven(immediateRestarts: 1)
        machine.send(.want(true))
        #expect(machine.send(.ended, at: .seconds(1)) == [.launch])
        machine.send(.delivering, at: .seconds(1))
        #expect(machine.send(.ended, at: .seconds(11)) == [.launch])
        machine.send(.delivering, at: .seconds(12))
        #expect(machine.send(.ended, at: .seconds(13)) != [.launch])
        #expect(machine.actual == .pausing)
    }

    @Test("only a process that itself reached the end of its file starts again at once")
    func complete() {
        var machine = ProcessMachine(policy: .pull, stallPatience: .seconds(2))
        var random = SeededRandom(seed: 1)
        func send(_ event: ProcessMachine.Event, _ seconds: Int) -> [ProcessMachine.Effect] {
            machine.handle(event, now: .seconds(seconds), random: &random)
        }
        _ = send(.want(true), 0)
        for round in 0..<5 {
            _ = send(.delivering, round * 10)
            _ = send(.complete, round * 10 + 5)
            #expect(send(.ended, round * 10 + 5) == [.launch])
        }
        _ = send(.delivering, 60)
        #expect(send(.ended, 65) != [.launch])
    }

    @Test("a replacement starts at once, however often it is asked for")
    func replacement() {
        let machine = Driven()
        machine.send(.want(true))
        for _ in 0..<20 {
            #expect(machine.send(.replace) == [.kill])
            #expect(machine.send(.ended) == [.launch])
        }
    }
}
