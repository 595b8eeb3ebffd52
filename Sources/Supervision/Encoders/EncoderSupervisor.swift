import DataPath
import EncoderSelection
import FFmpeg
import Logging
import SystemSupport

/// Carries out what a ``GroupMachine`` decides for one encoder, wherever its input comes from and its output goes.
///
/// Events come from the data path, from the processes and from timers, through one queue; the machine sees them in
/// their order.
protocol EncoderSupervisor: Actor {
    /// Its name among those who ask for encoders.
    nonisolated var subject: String { get }
    nonisolated var context: ServiceContext { get }
    nonisolated var dataPath: DataPath { get }
    nonisolated var monitor: ChildMonitor { get }
    nonisolated var logger: Logger { get }
    /// What times are counted from.
    nonisolated var epoch: ContinuousClock.Instant { get }
    /// How long a process may take to end by itself once its input has.
    nonisolated var endOfInputPatience: Duration { get }
    /// How much longer a process that gives nothing may take while it works, or waits for a processor.
    nonisolated var busyPatience: Duration { get }

    var machine: GroupMachine { get set }
    var generations: [GroupMachine.Generation: EncoderGeneration] { get set }
    /// A better encoder was there while the one in use had given no picture yet.
    var waitsForFirstPicture: Bool { get set }

    nonisolated func report(_ event: GroupMachine.Event)
    nonisolated func report(_ event: EncoderEvent, of generation: GroupMachine.Generation)
    nonisolated func report(_ move: EncoderPool.Move)
    /// A generation that gave nothing had its time: see ``isHung(_:in:)``.
    nonisolated func reportHung(_ generation: GroupMachine.Generation)

    /// Makes a generation's command and pipes.
    ///
    /// - Returns: `nil` when there is nothing to run, which was told.
    func prepare(_ generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning) async throws
        -> EncoderGeneration.Ready?
    /// It stands elsewhere than before.
    func stateChanged()
    /// Another one has the output, or has it no more: for whoever waits for a handover.
    func settled(_ generation: GroupMachine.Generation, after gap: Duration?)
    /// A generation has the output from now on.
    func promoted(_ generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup)
    /// It gives fewer pictures than it is sent.
    func isSlow(_ generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup)
    /// It was too slow, and is so no more.
    func keepsUp()
    /// Pictures go on behind a handover.
    func handedOver(_ cause: HandoverCause, gap: Duration)
    /// - Parameter cause: `nil` for an end that was asked for.
    func ended(_ exit: ChildExit, of encoder: EncoderCandidate?, cause: HandoverCause?, started: Timestamp)
    /// - Parameter progress: What its process says; `nil` once that has ended.
    nonisolated func progressed(_ progress: Progress?, of generation: GroupMachine.Generation)
}

extension EncoderSupervisor {
    /// The encoder that has the output, or will have it.
    var encoder: EncoderCandidate? { generations[machine.current]?.encoder }

    /// How long a generation may take to its first picture; twice as long each time where the one before took longer. A
    /// GPU that hangs at its start is left soon; the processor's encoders do not hang, but a machine may be slow, above
    /// all while it boots.
    var startPatience: Duration {
        let isHardware = encoder.map { !$0.isSoftware } ?? false
        return min(.seconds(isHardware ? 2 : 6) * (1 << min(machine.fruitless, 4)), .seconds(30))
    }

    // MARK: Events

    func handle(_ event: GroupMachine.Event, in tasks: inout DiscardingTaskGroup) {
        let before = machine.actual
        if case .ended(let generation, _) = event {
            generations[generation] = nil
            if generation == machine.successor {
                context.encoders.keep(encoder, for: subject)
                settled(generation, after: nil)
            }
        }
        var random = SystemRandomNumberGenerator()
        let effects = machine.handle(event, now: ContinuousClock().now - epoch, random: &random)
        if machine.actual != before {
            if machine.actual == .idle || machine.actual == .pausing { context.encoders.keep(nil, for: subject) }
            logger.debug("encoder is \(machine.actual)")
        }
        for effect in effects { carryOut(effect, in: &tasks) }
        if machine.actual != before { stateChanged() }
    }

    func handle(_ event: EncoderEvent, of generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup) {
        switch event {
        case .delivering(let format, let gap):
            let encoder = generations[generation]?.encoder
            if let cause = generations[generation]?.cause, let gap {
                handedOver(cause, gap: gap)
                logger.notice(
                    "handed over",
                    metadata: [
                        "cause": "\(cause.rawValue)", "encoder": "\(encoder?.description ?? "copy")",
                        "after": "\(gap.milliseconds)ms",
                    ])
            }
            keepsUp()
            logger.notice("live", metadata: format.map { ["video": "\($0)"] } ?? [:])
            if let encoder { context.encoders.delivers(encoder, for: subject) }
            if generation == machine.successor { settled(generation, after: gap ?? .zero) }
            handle(.delivering(generation), in: &tasks)
            if waitsForFirstPicture { report(.better) }
            waitsForFirstPicture = false
        case .stalled:
            guard let child = generations[generation]?.child else { return }
            generations[generation]?.isStalled = true
            tasks.addTask { [busyPatience] in
                // On a machine that is busy for a moment it has not hung: other encoders would fare no better.
                if await BlockingIO.run({ child.isRunnable }) {
                    guard await (try? ContinuousClock().sleep(for: busyPatience)) != nil else { return }
                }
                self.reportHung(generation)
            }
        case .recovered:
            generations[generation]?.isStalled = false
        case .slow:
            // One that is ending already is accounted for.
            if generation == machine.current, machine.actual == .live { isSlow(generation, in: &tasks) }
        case .keepsUp:
            if generation == machine.current { keepsUp() }
        case .torn:
            // How its successor ended says what is wrong with that; this one is well.
            guard generation == machine.current else { return }
            logger.warning("the encoder that was to take over did not: the one in use is started anew")
            handle(.replace(.exit), in: &tasks)
        case .superseded, .ended:
            break
        }
    }

    /// A generation that gave nothing had its time. It may have recovered meanwhile.
    func isHung(_ generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup) {
        guard generations[generation]?.isStalled == true else { return }
        logger.warning("the encoder takes pictures and gives none: it is replaced")
        generations[generation]?.fault = .stall
        blame(generation, .hang)
        handle(.stalled(generation), in: &tasks)
    }

    /// Another encoder should be used, as far as whoever chooses them knows.
    func move(_ move: EncoderPool.Move, to choice: EncoderSelector.Choice, in tasks: inout DiscardingTaskGroup) {
        if move == .better, machine.actual == .starting {
            // First a picture on air, by whatever gives it.
            waitsForFirstPicture = true
            return
        }
        // It may have moved by itself meanwhile, or be about to.
        guard let next = choice.candidate, next != encoder || machine.actual == .pausing else { return }
        if let successor = machine.successor, generations[successor]?.encoder == next { return }
        logger.notice("moves to another encoder", metadata: ["encoder": "\(next)", "why": "\(choice.reason)"])
        let cause = HandoverCause(move)
        if move == .gone || move == .hanging, machine.actual == .live || machine.actual == .starting {
            generations[machine.current]?.isAccountedFor = true
            handle(.replace(cause), in: &tasks)
        } else {
            handle(.handOver(cause), in: &tasks)
        }
    }

    /// A generation's encoder failed: another one is chosen from now on, where the fault asks for that.
    func blame(_ generation: GroupMachine.Generation, _ fault: EncoderFault, _ explanation: FailureReason? = nil) {
        guard let running = generations[generation], !running.isAccountedFor, let candidate = running.encoder else {
            return
        }
        generations[generation]?.isAccountedFor = true
        // An encoder that the operator asked for is his until it fails.
        if context.encoders.pinned(to: subject) == candidate, machine.actual == .starting || fault != .crash {
            logger.warning("\(candidate) does not work: the configuration's encoder takes over")
            context.encoders.pin(nil, to: subject)
        }
        context.encoders.failed(candidate, fault, explanation, in: subject)
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
            promoted(generation, in: &tasks)
        case .stop(let generation):
            guard let running = generations[generation] else { return }
            generations[generation]?.isAccountedFor = true
            generations[generation]?.isMoot = generation == machine.successor
            // One that was given nothing yet has nothing to give.
            if generation == machine.successor, running.attachment == nil { return running.child.stop(.now) }
            tasks.addTask { [dataPath, endOfInputPatience] in
                if let attachment = running.attachment { await dataPath.endInput(of: attachment) }
                guard await (try? ContinuousClock().sleep(for: endOfInputPatience)) != nil else { return }
                running.child.stop(.gracefully)
            }
        case .kill(let generation):
            generations[generation]?.isAccountedFor = true
            generations[generation]?.child.stop(.now)
        case .pause(let pause, let generation):
            tasks.addTask {
                guard await (try? ContinuousClock().sleep(for: pause)) != nil else { return }
                self.report(.pauseOver(generation))
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
            let end = await self.live(generation, beginning, child: child)
            self.report(.ended(generation, end))
        }
    }

    // MARK: One generation

    /// Runs one generation's process; returns when it has ended.
    private func live(
        _ generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning, child: ChildHandle
    ) async -> HandoverCause {
        do {
            guard let ready = try await prepare(generation, beginning) else { return .exit }
            generations[generation]?.attachment = ready.attachment
            let started = Timestamp.now
            let exit = await monitor.run(
                ready.command, input: ready.input, output: ready.output, child: child, expected: [.ended],
                progressed: { self.progressed($0, of: generation) })
            progressed(nil, of: generation)
            // First what is wrong with it: where it was to take over, the one in use may be replaced at once by what is
            // chosen then.
            let cause = await account(for: exit, of: generation, started: started)
            await dataPath.detach(ready.attachment)
            return cause
        } catch is DataPath.NothingToTakeOver {
            return .exit
        } catch {
            monitor.log(.error, "cannot run: \(error)")
            return .exit
        }
    }

    /// Why a generation ended. What that says of its encoder is told to whoever chooses the next.
    private func account(for exit: ChildExit, of generation: GroupMachine.Generation, started: Timestamp) async
        -> HandoverCause
    {
        let encoder = generations[generation]?.encoder
        // Once another one has the output, how it ends says nothing.
        guard generation == machine.current || generation == machine.successor, generations[generation]?.isMoot == false
        else { return .exit }
        var cause = exit.cause
        // A driver does not say why it does nothing any more; the device that is no longer there does.
        if cause == .driverError, let slot = encoder?.gpu, await !context.encoders.isThere(slot) { cause = .deviceGone }
        let end = cause.map { HandoverCause($0) } ?? generations[generation]?.fault
        ended(exit, of: encoder, cause: end, started: started)
        if let cause, let fault = EncoderFault(cause) {
            let isSuccessor = generation == machine.successor
            blame(
                generation, isSuccessor && fault == .crash ? .handover : fault,
                encoder.flatMap { TrialResult(exit, of: $0, overdue: nil, flaw: nil).explanation })
        }
        return cause.map { HandoverCause($0) } ?? .exit
    }
}
