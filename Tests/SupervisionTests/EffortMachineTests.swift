import FFmpeg
import TestSupport
import Testing

@testable import Supervision

/// How a lowered preset is raised again: every state × event, and how often a better one is tried.
@Suite struct EffortMachineTests {
    private static let all = EncoderEffort.allCases

    /// A machine with its clock.
    private struct Driven {
        var machine = EffortMachine()
        var now = Duration.zero
        var steps = EffortMachineTests.all

        @discardableResult
        mutating func send(_ event: EffortMachine.Event) -> EffortMachine.Effect? {
            machine.handle(event, steps: steps, now: now)
        }

        mutating func wait(_ seconds: Int) { now += .seconds(seconds) }

        /// Measures every ten seconds until a better preset is tried.
        ///
        /// - Returns: How many seconds that took; `nil` if none is tried within a day.
        mutating func secondsToTry(hasRoom: Bool = true) -> Int? {
            let start = now
            for _ in 0..<8640 {
                if send(.measured(hasRoom: hasRoom)) == .handOver { return Int((now - start).components.seconds) }
                wait(10)
            }
            return nil
        }
    }

    /// The events that lead to a state, and the seconds before each.
    private static let states: [(name: String, events: [(Int, EffortMachine.Event)])] = [
        ("usual", []),
        ("lowered", [(0, .slow)]),
        ("ready", [(0, .slow), (0, .measured(hasRoom: true))]),
        ("trying", [(0, .slow), (0, .measured(hasRoom: true)), (100, .measured(hasRoom: true))]),
        ("raised", [(0, .slow), (0, .measured(hasRoom: true)), (100, .measured(hasRoom: true)), (0, .tookOver)]),
        ("least", [(0, .slow), (0, .slow)]),
    ]
    private static let events: [(name: String, event: EffortMachine.Event)] = [
        ("slow", .slow), ("room", .measured(hasRoom: true)), ("noRoom", .measured(hasRoom: false)),
        ("tookOver", .tookOver),
        ("failed", .failed), ("unused", .unused), ("reset", .reset),
    ]

    /// A cell is the next effort, the next pause in seconds, and the effect; `.` changes nothing and has no effect.
    /// Each event comes 100 seconds after the state was reached.
    private static let table = """
        state   slow                room           noRoom tookOver failed     unused     reset
        usual   less/60/replace     .              .      .        .          .          .
        lowered least/60/replace    .              .      .        .          normal/60  normal/60
        ready   least/60/replace    normal/60/handOver . .       .          normal/60  normal/60
        trying  less/120/replace    .              .      .        less/120   .          .
        raised  less/120/replace    .              .      .        .          .          .
        least   least/60/exhausted  .              .      .        .          normal/60  normal/60
        """

    @Test("every state and event give the effort, pause and effect of the table")
    func table() {
        let rows = Self.table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(rows[0].dropFirst().elementsEqual(Self.events.map(\.name)))
        #expect(rows.dropFirst().map { $0[0] } == Self.states.map(\.name))
        for (row, state) in zip(rows.dropFirst(), Self.states) {
            for (cell, event) in zip(row.dropFirst(), Self.events) {
                var driven = Driven()
                for (seconds, event) in state.events {
                    driven.wait(seconds)
                    driven.send(event)
                }
                let before = (driven.machine.effort, driven.machine.pause)
                driven.wait(100)
                let effect = driven.send(event.event)
                let after = (driven.machine.effort, driven.machine.pause)
                let words = ["\(after.0)", "\(after.1.components.seconds)"] + (effect.map { ["\($0)"] } ?? [])
                let found = effect == nil && before == after ? "." : words.joined(separator: "/")
                #expect(found == cell, "\(state.name) × \(event.name)")
            }
        }
    }

    @Test("a lowered preset is raised step by step once there is room")
    func back() {
        var driven = Driven()
        #expect(driven.send(.slow) == .replace && driven.send(.slow) == .replace && driven.machine.effort == .least)
        #expect(driven.secondsToTry() == 60 && driven.machine.effort == .less)
        driven.send(.tookOver)
        #expect(driven.secondsToTry() == 60 && driven.machine.effort == .normal)
        driven.send(.tookOver)
        #expect(!driven.machine.isLowered && driven.secondsToTry() == nil)
    }

    @Test("a better preset is tried only after the room has lasted")
    func room() {
        var driven = Driven()
        driven.send(.slow)
        #expect(driven.secondsToTry(hasRoom: false) == nil)
        for _ in 0..<100 {
            #expect(driven.send(.measured(hasRoom: true)) == nil)
            driven.wait(20)
            #expect(driven.send(.measured(hasRoom: false)) == nil)
        }
        #expect(driven.secondsToTry() == 30)
    }

    @Test("a better preset that is too slow is tried less often, up to every four hours")
    func quarantine() {
        var driven = Driven()
        driven.send(.slow)
        var pauses: [Int] = []
        for _ in 0..<12 {
            pauses.append(driven.secondsToTry() ?? -1)
            driven.send(.tookOver)
            // It is too slow at once.
            driven.wait(5)
            #expect(driven.send(.slow) == .replace && driven.machine.effort == .less)
        }
        #expect(pauses == [60, 120, 240, 480, 960, 1920, 3840, 7680, 14400, 14400, 14400, 14400])
    }

    @Test("a better preset that never takes over is tried less often too")
    func failures() {
        var driven = Driven()
        driven.send(.slow)
        var pauses: [Int] = []
        for _ in 0..<3 {
            pauses.append(driven.secondsToTry() ?? -1)
            driven.wait(5)
            driven.send(.failed)
            #expect(driven.machine.effort == .less)
        }
        #expect(pauses == [60, 120, 240])
    }

    @Test("a better preset that has held resets the pause, however long it was")
    func forgiveness() {
        var driven = Driven()
        driven.send(.slow)
        for _ in 0..<6 {
            _ = driven.secondsToTry()
            driven.send(.tookOver)
            driven.wait(60)
            driven.send(.slow)
        }
        #expect(driven.machine.pause == .seconds(3840))
        _ = driven.secondsToTry()
        driven.send(.tookOver)
        // Less than the last pause.
        driven.wait(3800)
        driven.send(.slow)
        #expect(driven.machine.pause == .seconds(7680))
        _ = driven.secondsToTry()
        driven.send(.tookOver)
        driven.wait(7681)
        driven.send(.slow)
        #expect(driven.machine.pause == .seconds(60) && driven.machine.effort == .less)
    }

    @Test("an encoder that is too slow while a better one starts keeps its preset")
    func lagsBeside() {
        var driven = Driven()
        driven.send(.slow)
        driven.send(.slow)
        _ = driven.secondsToTry()
        #expect(driven.machine.isTrying && driven.machine.effort == .less)
        #expect(driven.send(.slow) == .replace && driven.machine.effort == .least && !driven.machine.isTrying)
    }

    @Test("efforts with the same preset are one step")
    func sameSteps() {
        var driven = Driven(steps: [.normal, .less])
        #expect(driven.send(.slow) == .replace && driven.send(.slow) == .exhausted)
        driven.steps = []
        #expect(driven.send(.slow) == .exhausted)
    }

    @Test("random events keep the effort within its steps and attempts a pause apart")
    func randomLife() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<200 {
            var driven = Driven()
            var lastLowering = Duration.seconds(-3600)
            for _ in 0..<400 {
                driven.wait(Int.random(in: 0..<30, using: &random))
                let event = Self.events.map(\.event).randomElement(using: &random)!
                let wasTrying = driven.machine.isTrying
                switch driven.send(event) {
                case .replace:
                    #expect(event == .slow)
                    lastLowering = driven.now
                case .handOver:
                    #expect(event == .measured(hasRoom: true) && !wasTrying && driven.machine.isTrying)
                    #expect(driven.now - lastLowering >= .seconds(60))
                case .exhausted: #expect(event == .slow && driven.machine.effort == .least)
                case nil: break
                }
                #expect(driven.machine.pause >= .seconds(60) && driven.machine.pause <= .seconds(14400))
            }
        }
    }
}
