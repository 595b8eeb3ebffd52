import FFmpeg

/// Receives the events of a supervised process.
protocol Supervised: Sendable {
    func report(_ event: ProcessMachine.Event)
}

/// Carries out the decisions of a ``ProcessMachine`` for one process.
///
/// Events of the data path, the process and the timers go through one queue, and the machine sees them in that order. A
/// stop is an event too: the runner returns after its last process has ended.
actor ProcessRunner: Supervised {
    /// Makes the command and the pipes of the process, runs it, and returns when it has ended.
    typealias Live = @Sendable (ChildHandle) async -> Void

    private var machine: ProcessMachine
    private let statistics: ProcessStatistics
    private let live: Live
    private let endInput: @Sendable () async -> Void
    private let changed: @Sendable (ProcessMachine.Actual) -> Void
    private let hasInput: Bool
    private let blamesHangs: Bool
    private let startBlame: FailureCause
    private nonisolated let queue: ProcessQueue
    private let clock: any ServiceClock
    private let epoch: ContinuousClock.Instant
    private var random = SystemRandomNumberGenerator()
    private var child: ChildHandle?
    private var isFinishing = false

    /// How long a process may take to end by itself after its input has ended.
    static let endOfInputPatience = Duration.milliseconds(1500)

    /// - Parameters:
    ///   - queue: The queue of the events that are reported to the process.
    ///   - changed: Called after the state changes.
    ///   - endInput: Closes the input of the process, as the first step of a stop. `nil` for a process without input.
    ///   - blamesHangs: Whether a process that is killed because it hangs counts as failed.
    ///   - startBlame: The cause of that failure if it hangs before it delivers anything.
    ///   - live: Runs the process once.
    init(
        machine: ProcessMachine, statistics: ProcessStatistics, queue: ProcessQueue = ProcessQueue(),
        changed: @escaping @Sendable (ProcessMachine.Actual) -> Void,
        endInput: (@Sendable () async -> Void)? = nil, blamesHangs: Bool = false, startBlame: FailureCause = .timeout,
        clock: any ServiceClock = ContinuousClock(), live: @escaping Live
    ) {
        self.machine = machine
        self.statistics = statistics
        self.live = live
        self.endInput = endInput ?? {}
        hasInput = endInput != nil
        self.blamesHangs = blamesHangs
        self.startBlame = startBlame
        self.changed = changed
        self.queue = queue
        self.clock = clock
        epoch = clock.now
    }

    /// The state of the process.
    var actual: ProcessMachine.Actual { machine.actual }

    nonisolated func report(_ event: ProcessMachine.Event) { queue.report(event) }

    /// Runs until ``finish()`` was called and the process has ended.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await event in queue.events {
                let request: ProcessMachine.Event
                switch event {
                case .machine(.want) where isFinishing: continue
                case .machine(let event): request = event
                case .finish:
                    isFinishing = true
                    request = .want(false)
                }
                let before = (machine.actual, machine.wanted)
                let starts = machine.starts
                let effects = machine.handle(request, now: clock.now - epoch, random: &random)
                if (machine.actual, machine.wanted) != before || machine.starts != starts {
                    statistics.stateChanged(
                        machine.actual, wanted: machine.wanted, starts: machine.starts, now: clock.now)
                }
                if machine.actual != before.0 { changed(machine.actual) }
                for effect in effects { carryOut(effect, because: request, from: before.0, in: &group) }
                if isFinishing, machine.actual == .idle { break }
            }
            group.cancelAll()
        }
    }

    /// Ends the process and the runner.
    nonisolated func finish() { queue.finish() }

    private func carryOut(
        _ effect: ProcessMachine.Effect, because event: ProcessMachine.Event, from before: ProcessMachine.Actual,
        in group: inout DiscardingTaskGroup
    ) {
        switch effect {
        case .launch:
            let child = ChildHandle()
            self.child = child
            group.addTask { [live] in
                await live(child)
                self.report(.ended)
            }
        case .stop:
            guard let child else { return }
            group.addTask { [endInput, hasInput, clock] in
                if hasInput {
                    await endInput()
                    guard await (try? clock.sleep(for: Self.endOfInputPatience)) != nil else { return }
                }
                child.stop(.gracefully)
            }
        case .kill:
            // A process that is replaced has not failed.
            let isOverdue = if case .patienceOver = event { true } else { false }
            child?.stop(.now, for: isOverdue && blamesHangs ? before == .starting ? startBlame : .stuck : nil)
        case .pause(let pause, let start):
            wake(after: pause, with: .pauseOver(start: start), in: &group)
        case .bePatient(let patience, let stall):
            wake(after: patience, with: .patienceOver(stall: stall), in: &group)
        }
    }

    private func wake(after pause: Duration, with event: ProcessMachine.Event, in group: inout DiscardingTaskGroup) {
        guard pause > .zero else { return report(event) }
        group.addTask { [clock] in
            guard await (try? clock.sleep(for: pause)) != nil else { return }
            self.report(event)
        }
    }
}
