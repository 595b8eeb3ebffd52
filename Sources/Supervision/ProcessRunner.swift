public import FFmpeg
import Logging

/// Carries out what a ``ProcessMachine`` decides for one process, for as long as its task runs.
///
/// Events come from the data path, from the process and from timers, through one queue; the machine sees them in
/// their order. Stopping is an event too: a runner returns once its last process has ended.
public actor ProcessRunner {
    /// One start of the process, from descriptors to ending.
    public typealias Attempt = @Sendable (ProcessRunner) async -> Void

    private var machine: ProcessMachine
    private let attempt: Attempt
    private let events: AsyncStream<ProcessMachine.Event>
    private let queue: AsyncStream<ProcessMachine.Event>.Continuation
    private let clock = ContinuousClock()
    private let epoch: ContinuousClock.Instant
    private var random = SystemRandomNumberGenerator()
    private var handle: ChildHandle?
    private let changed: @Sendable (ProcessMachine.Actual) -> Void

    /// - Parameters:
    ///   - changed: Called when the process is somewhere else than before.
    ///   - attempt: Starts the process and returns when it has ended.
    public init(
        machine: ProcessMachine, changed: @escaping @Sendable (ProcessMachine.Actual) -> Void, attempt: @escaping Attempt
    ) {
        self.machine = machine
        self.changed = changed
        self.attempt = attempt
        (events, queue) = AsyncStream.makeStream()
        epoch = clock.now
    }

    public nonisolated func report(_ event: ProcessMachine.Event) { queue.yield(event) }

    /// Where the process stands.
    public var actual: ProcessMachine.Actual { machine.actual }

    /// Runs until ``finish()`` was called and the process has ended.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await event in events {
                let before = machine.actual
                let effects = machine.handle(event, now: clock.now - epoch, random: &random)
                if machine.actual != before { changed(machine.actual) }
                for effect in effects { carryOut(effect, in: &group) }
                if isFinishing, machine.actual == .idle { queue.finish() }
            }
            group.cancelAll()
        }
    }

    private var isFinishing = false

    /// Ends the process, and with it ``run()``.
    public func finish() {
        isFinishing = true
        report(.want(false))
    }
}
