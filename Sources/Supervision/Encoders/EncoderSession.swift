import DataPath
import EncoderSelection
import FFmpeg
import Logging
import MPEGTS
import MediaTypes
import SystemSupport

/// Carries out the decisions of a ``GroupMachine`` for one encoder.
///
/// Its delegate knows where the input comes from and where the output goes. Events of the data path, the processes, the
/// timers and the delegate go through one queue, and the machine sees them in that order.
actor EncoderSession<Delegate: EncoderSessionDelegate> {
    /// The name under which the session asks for encoders.
    nonisolated let subject: String
    nonisolated let context: ServiceContext
    nonisolated let dataPath: DataPath
    nonisolated let monitor: ChildMonitor
    nonisolated let logger: Logger
    private nonisolated let patience: EncoderPatience

    private(set) var machine = GroupMachine(policy: .encoder)
    private(set) var generations: [GroupMachine.Generation: EncoderGeneration] = [:]
    /// Whether a better encoder became usable before the encoder in use gave its first frame.
    private var waitsForFirstFrame = false
    private var isFinishing = false
    private let delegate: Delegate
    private let epoch: ContinuousClock.Instant
    private nonisolated let events: AsyncStream<Event>
    private nonisolated let queue: AsyncStream<Event>.Continuation

    private enum Event: Sendable {
        case machine(GroupMachine.Event)
        case data(GroupMachine.Generation, EncoderEvent)
        case move(EncoderPool.Move)
        /// The time limit of a generation that delivered nothing is over.
        case hung(GroupMachine.Generation)
        case request(Delegate.Request)
        case finish
    }

    init(
        _ subject: String, patience: EncoderPatience, context: ServiceContext, dataPath: DataPath, logger: Logger,
        delegate: sending Delegate
    ) {
        self.subject = subject
        self.patience = patience
        self.context = context
        self.dataPath = dataPath
        self.logger = logger
        self.delegate = delegate
        monitor = ChildMonitor(context: context, logger: logger)
        epoch = context.clock.now
        (events, queue) = AsyncStream.makeStream()
    }

    nonisolated func report(_ event: GroupMachine.Event) { queue.yield(.machine(event)) }
    nonisolated func report(_ event: EncoderEvent, of generation: GroupMachine.Generation) {
        queue.yield(.data(generation, event))
    }
    nonisolated func report(_ move: EncoderPool.Move) { queue.yield(.move(move)) }
    /// - Returns: Whether the session still accepts requests.
    @discardableResult
    nonisolated func send(_ request: Delegate.Request) -> Bool {
        if case .terminated = queue.yield(.request(request)) { false } else { true }
    }
    /// Ends the session.
    nonisolated func finish() { queue.yield(.finish) }

    /// The time since the session was made.
    var now: Duration { context.clock.now - epoch }

    /// The encoder that has the output, or will have it.
    var encoder: EncoderCandidate? { generations[machine.current]?.encoder }

    /// How long a generation may take to deliver its first frame. The limit doubles after each generation that took
    /// longer. It is short at first, so that a GPU that hangs at the start is soon replaced by another encoder.
    /// Software encoders do not hang, but a machine may be slow, above all while it boots.
    var startPatience: Duration {
        let isHardware = encoder.map { !$0.isSoftware } ?? false
        return min(.seconds(isHardware ? 2 : 6) * (1 << min(machine.fruitless, 4)), .seconds(30))
    }

    /// Changes the record of a generation, if it still runs.
    func update(_ generation: GroupMachine.Generation, _ change: (inout EncoderGeneration) -> Void) {
        guard var known = generations[generation] else { return }
        change(&known)
        generations[generation] = known
    }

    /// Reads from the delegate, which only this actor may touch.
    func read<Value: Sendable>(_ body: @Sendable (Delegate) -> Value) -> Value { body(delegate) }

    // MARK: Events

    /// Runs until ``finish()`` was called and the last process has ended.
    func run() async {
        await withDiscardingTaskGroup { tasks in
            delegate.begin(in: self, &tasks)
            for await event in events {
                handle(event, in: &tasks)
                if isFinishing, machine.actual == .idle, generations.isEmpty { break }
            }
            queue.finish()
            var requests: [Delegate.Request] = []
            for await case .request(let request) in events { requests.append(request) }
            delegate.end(in: self, leaving: requests)
            tasks.cancelAll()
        }
    }

    private func handle(_ event: Event, in tasks: inout DiscardingTaskGroup) {
        switch event {
        case .machine(.want) where isFinishing: break
        case .machine(let event): handle(event, in: &tasks)
        case .data(let generation, let event): handle(event, of: generation, in: &tasks)
        case .move(let move): self.move(move, to: context.encoders.currentChoice(for: subject), in: &tasks)
        case .hung(let generation): replaceIfStalled(generation, in: &tasks)
        case .request(let request): delegate.handle(request, in: self, &tasks)
        case .finish:
            isFinishing = true
            handle(.want(false), in: &tasks)
        }
    }

    func handle(_ event: GroupMachine.Event, in tasks: inout DiscardingTaskGroup) {
        let before = machine.actual
        if case .ended(let generation, _) = event {
            generations[generation] = nil
            if generation == machine.successor {
                context.encoders.recordUse(of: encoder, by: subject)
                delegate.note(.settled(generation, after: nil), in: self)
            }
        }
        var random = SystemRandomNumberGenerator()
        let effects = machine.handle(event, now: now, random: &random)
        if machine.actual != before {
            if machine.actual == .idle || machine.actual == .pausing {
                context.encoders.recordUse(of: nil, by: subject)
            }
            logger.debug("encoder state changed", metadata: ["state": "\(machine.actual)"])
        }
        for effect in effects { carryOut(effect, in: &tasks) }
        if machine.actual != before { delegate.note(.stateChanged, in: self) }
    }

    private func handle(
        _ event: EncoderEvent, of generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup
    ) {
        switch event {
        case .delivering(let format, let gap):
            deliver(format, after: gap, generation, in: &tasks)
        case .stalled:
            guard let child = generations[generation]?.child else { return }
            update(generation) { $0.isStalled = true }
            tasks.addTask { [queue, clock = context.clock, patience] in
                // The process is waiting for a processor, so the machine is busy and the encoder does not hang. Another
                // encoder would be no faster.
                if await BlockingIO.run({ child.isRunnable }) {
                    guard await (try? clock.sleep(for: patience.busy)) != nil else { return }
                }
                queue.yield(.hung(generation))
            }
        case .recovered:
            update(generation) { $0.isStalled = false }
        case .slow:
            // The fault of an encoder that is ending is already reported.
            if generation == machine.current, machine.actual == .live {
                delegate.isTooSlow(generation, in: self, &tasks)
            }
        case .keepsUp:
            if generation == machine.current { delegate.note(.keepsUp, in: self) }
        case .torn:
            // The exit of the successor shows what was wrong with it. The encoder in use works.
            guard generation == machine.current else { return }
            logger.warning("the next encoder did not take over, restarting the encoder in use")
            handle(.replace(.exit), in: &tasks)
        case .superseded, .ended:
            break
        }
    }

    /// Handles the first frame of a generation in the group's feed.
    private func deliver(
        _ format: VideoFormat?, after gap: Duration?, _ generation: GroupMachine.Generation,
        in tasks: inout DiscardingTaskGroup
    ) {
        let encoder = generations[generation]?.encoder
        if let cause = generations[generation]?.cause, let gap {
            delegate.note(.handedOver(cause, gap: gap), in: self)
            logger.notice(
                "handed over",
                metadata: [
                    "cause": "\(cause.rawValue)", "encoder": "\(encoder?.description ?? "copy")",
                    "after": "\(gap.wholeMilliseconds)ms",
                ])
        }
        delegate.note(.keepsUp, in: self)
        logger.notice("live", metadata: format.map { ["video": "\($0)"] } ?? [:])
        if let encoder { context.encoders.recordDelivery(of: encoder, for: subject) }
        if generation == machine.successor { delegate.note(.settled(generation, after: gap ?? .zero), in: self) }
        handle(.delivering(generation), in: &tasks)
        if waitsForFirstFrame { report(.better) }
        waitsForFirstFrame = false
    }

    /// Replaces a generation that delivered nothing within its time limit, unless it has recovered.
    private func replaceIfStalled(_ generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup) {
        guard generations[generation]?.isStalled == true else { return }
        logger.warning("the encoder reads frames and returns none, replacing it")
        update(generation) { $0.fault = .stall }
        blame(generation, .hang)
        handle(.stalled(generation), in: &tasks)
    }

    /// Hands over to another encoder, as the encoder manager asks.
    private func move(
        _ move: EncoderPool.Move, to choice: EncoderSelector.Choice, in tasks: inout DiscardingTaskGroup
    ) {
        if move == .better, machine.actual == .starting {
            // The first frame on air is more important than a better encoder.
            waitsForFirstFrame = true
            return
        }
        // The session may already have moved, or be about to.
        guard let next = choice.candidate, next != encoder || machine.actual == .pausing else { return }
        if let successor = machine.successor, generations[successor]?.encoder == next { return }
        logger.notice("moving to another encoder", metadata: ["encoder": "\(next)", "why": "\(choice.reason)"])
        let cause = HandoverCause(move)
        if move == .gone || move == .hanging, machine.actual == .live || machine.actual == .starting {
            update(machine.current) { $0.isAccountedFor = true }
            handle(.replace(cause), in: &tasks)
        } else {
            handle(.handOver(cause), in: &tasks)
        }
    }

    /// Reports a fault of a generation's encoder to the encoder manager, which may choose another encoder from now on.
    func blame(_ generation: GroupMachine.Generation, _ fault: EncoderFault, _ explanation: FailureReason? = nil) {
        guard let running = generations[generation], !running.isAccountedFor, let candidate = running.encoder else {
            return
        }
        update(generation) { $0.isAccountedFor = true }
        // An encoder that the operator asked for stays until it fails.
        if context.encoders.pinned(to: subject) == candidate, machine.actual == .starting || fault != .crash {
            logger.warning(
                "the encoder that the operator asked for failed, using the configuration's",
                metadata: ["encoder": "\(candidate)"])
            context.encoders.pin(nil, to: subject)
        }
        context.encoders.recordFailure(of: candidate, fault, explanation, in: subject)
    }

    // MARK: Effects

    private func carryOut(_ effect: GroupMachine.Effect, in tasks: inout DiscardingTaskGroup) {
        switch effect {
        case .launch(let generation, let cause):
            start(
                generation, cause == nil ? .fresh : cause == .source ? .repaced : .resumed, because: cause, in: &tasks)
        case .launchAhead(let generation, let cause):
            start(generation, .ahead, because: cause, in: &tasks)
        case .promote(let generation):
            delegate.note(.promoted(generation), in: self)
        case .stop(let generation):
            stop(generation, in: &tasks)
        case .kill(let generation):
            update(generation) { $0.isAccountedFor = true }
            generations[generation]?.child.stop(.now)
        case .pause(let pause, let generation):
            tasks.addTask { [queue, clock = context.clock] in
                guard await (try? clock.sleep(for: pause)) != nil else { return }
                queue.yield(.machine(.pauseOver(generation)))
            }
        }
    }

    private func start(
        _ generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning, because cause: HandoverCause?,
        in tasks: inout DiscardingTaskGroup
    ) {
        let child = ChildHandle()
        generations[generation] = EncoderGeneration(child: child, cause: cause)
        tasks.addTask {
            let end = await self.runProcess(of: generation, beginning, child: child)
            self.report(.ended(generation, end))
        }
    }

    private func stop(_ generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup) {
        guard let running = generations[generation] else { return }
        let isSuccessor = generation == machine.successor
        update(generation) {
            $0.isAccountedFor = true
            $0.isMoot = isSuccessor
        }
        // A successor that has read no frame has none to write, so it can be ended at once.
        if isSuccessor, running.attachment == nil { return running.child.stop(.now) }
        tasks.addTask { [dataPath, clock = context.clock, patience] in
            if let attachment = running.attachment { await dataPath.endInput(of: attachment) }
            guard await (try? clock.sleep(for: patience.endOfInput)) != nil else { return }
            running.child.stop(.gracefully)
        }
    }

    // MARK: One generation

    /// Runs one generation's process; returns after it has ended.
    private func runProcess(
        of generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning, child: ChildHandle
    ) async -> HandoverCause {
        do {
            guard let ready = try await delegate.prepare(generation, beginning, in: self) else { return .exit }
            update(generation) { $0.attachment = ready.attachment }
            let started = Timestamp.now
            let exit = await monitor.run(
                ready.command, input: ready.input, output: ready.output, child: child, expected: [.ended],
                onProgress: ready.onProgress)
            ready.onProgress(nil)
            // The fault is reported before the output is detached: if this was the successor, the encoder in use may be
            // replaced at once by the encoder that is chosen then.
            let cause = await account(for: exit, of: generation, started: started)
            await dataPath.detach(ready.attachment)
            return cause
        } catch is DataPath.NothingToTakeOver {
            return .exit
        } catch {
            monitor.log(.error, "cannot run", reason: "\(error)")
            return .exit
        }
    }

    /// Returns why a generation ended, and reports a fault of its encoder to the encoder manager.
    private func account(for exit: ChildExit, of generation: GroupMachine.Generation, started: Timestamp) async
        -> HandoverCause
    {
        let encoder = generations[generation]?.encoder
        // If another generation has taken over, the exit says nothing about the encoder.
        guard generation == machine.current || generation == machine.successor, generations[generation]?.isMoot == false
        else { return .exit }
        var cause = exit.cause
        // A driver does not say that its device is gone. The kernel does.
        if cause == .driverError, let slot = encoder?.gpu, await !context.encoders.hasGPU(at: slot) {
            cause = .deviceGone
        }
        let end = cause.map { HandoverCause($0) } ?? generations[generation]?.fault
        delegate.note(.ended(EncoderEnd(exit: exit, encoder: encoder, cause: end, started: started)), in: self)
        if let cause, let fault = EncoderFault(cause) {
            let isSuccessor = generation == machine.successor
            blame(
                generation, isSuccessor && fault == .crash ? .handover : fault,
                encoder.flatMap { TrialResult(exit, of: $0, overdue: nil, flaw: nil).explanation })
        }
        return cause.map { HandoverCause($0) } ?? .exit
    }
}
