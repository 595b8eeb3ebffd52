package import BoxConfiguration
import CapabilityProbe
package import EncoderSelection
import FFmpeg
package import Logging
import MediaTypes
import Synchronization
import SystemSupport

/// Knows which encoders of the box work. It runs their trials, follows devices that come and go, and tells groups when
/// to use another encoder.
///
/// A group gets its answers without waiting. ``run()`` does the slow work.
package final class EncoderManager: Sendable {
    private struct State {
        var pool: EncoderPool
        /// The closures to call when a group should be handed over to another encoder, by group.
        var moveHandlers: [String: @Sendable (EncoderPool.Move) -> Void] = [:]
        /// The encoder that each group uses, or used last, perhaps before the service was restarted.
        var lastUsed: [String: EncoderCandidate]
        /// The callers that wait for a condition, by the number of the wait.
        var waits: [Int: Wait] = [:]
        var lastWaitID = 0
        /// Whether the loop has ended, so that no more results of trials arrive.
        var isEnded = false
        /// The groups that asked for an encoder at the start and have no frame on air yet.
        var withoutFrame: Set<String> = []
        /// Whether a task is listing the devices.
        var isListing = false
        /// Whether the devices may have changed since that task began, so that they have to be listed again.
        var listsAgain = false
        /// Whether a thread is asking the V4L2 devices which of them encode.
        var isAskingV4L2 = false

        /// Whether the trial of the encoder that a group used last has no result yet.
        func awaitsFirstResult(_ group: String) -> Bool {
            guard let last = lastUsed[group], !last.isSoftware else { return false }
            return pool.standing(of: last, for: group) == .untried
        }
    }

    /// A caller that waits for a condition.
    private struct Wait {
        var isOver: @Sendable (State) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private enum Event: Sendable {
        case runTrial(Trial)
        case trialFinished(Trial, TrialResult)
        case hotplug(HotplugEvent)
        case listDevices
        /// - v4l2Encoders: `nil` while the driver of a video device does not answer.
        case devices([GPU], v4l2Encoders: [V4L2Encoder]?)
        /// Starts the time limit of a wait.
        case startTimer(wait: Int, until: Duration)
        /// The time limit of a wait is over.
        case waitTimedOut(Int)
        /// The state changed, so the waits and the time of the next tick have to be checked.
        case changed
        case tick
    }

    private let state: Mutex<State>
    private let trial: EncoderTrial
    private let log: EncoderLog
    private let events: AsyncStream<Event>
    private let queue: AsyncStream<Event>.Continuation
    private let clock: any ServiceClock
    private let epoch: ContinuousClock.Instant
    /// Emits the value of ``lastUsed`` after each change. A slow reader gets only the newest value.
    package let lastUsedChanges: AsyncStream<[String: String]>
    private let lastUsedQueue: AsyncStream<[String: String]>.Continuation

    /// How long after the service's start a group waits for the trial of the encoder that it used last. A trial that
    /// passes takes a quarter of a second, most often less than the first frame takes to arrive. The limit keeps a dead
    /// GPU from delaying the start.
    private static let firstResultLimit = Duration.milliseconds(600)
    /// How long after the service's start the trials that no group waits for are postponed, so that they do not compete
    /// with the first frames for the processor. On a small box both at once take twice as long.
    private static let trialDelay = Duration.seconds(3)

    /// - Parameters:
    ///   - order: The families that `auto` tries.
    ///   - lastUsed: The encoder that each group used when the service last ran.
    package convenience init(
        _ catalogue: EncoderCatalogue, order: [EncoderFamily] = EncoderPreferences.defaultOrder,
        lastUsed: [String: String] = [:],
        trial: EncoderTrial, logger: Logger
    ) {
        self.init(
            catalogue, order: order, lastUsed: lastUsed, trial: trial, logger: logger, clock: ContinuousClock())
    }

    /// - Parameter clock: Tests advance it by hand.
    init(
        _ catalogue: EncoderCatalogue, order: [EncoderFamily] = EncoderPreferences.defaultOrder,
        lastUsed: [String: String] = [:],
        trial: EncoderTrial, logger: Logger, clock: any ServiceClock
    ) {
        self.clock = clock
        state = Mutex(
            State(
                pool: EncoderPool(catalogue, order: order),
                lastUsed: lastUsed.mapValues { EncoderCandidate(parsing: $0) }))
        self.trial = trial
        log = EncoderLog(logger)
        (events, queue) = AsyncStream.makeStream()
        (lastUsedChanges, lastUsedQueue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        epoch = clock.now
    }

    private var now: Duration { clock.now - epoch }

    // MARK: Groups

    /// Adds a group, or updates what it has to encode.
    ///
    /// - Parameters:
    ///   - encoding: The video settings of the group's configuration.
    ///   - job: The work that the settings mean for the present input.
    ///   - onMove: Called when the group should be handed over to another encoder. It must not block.
    func setEncoding(
        _ encoding: VideoEncoding, job: EncodingJob, for group: String,
        onMove: (@Sendable (EncoderPool.Move) -> Void)? = nil
    ) {
        perform { state, now in
            if let onMove, state.moveHandlers.updateValue(onMove, forKey: group) == nil, now < Self.trialDelay {
                state.withoutFrame.insert(group)
            }
            return state.pool.setEncoding(encoding, job: job, for: group, lastUsed: state.lastUsed[group], now: now)
        }
    }

    /// Removes a group.
    func forget(_ group: String) {
        perform { state, _ in
            state.pool.forget(group)
            state.moveHandlers[group] = nil
            state.withoutFrame.remove(group)
            return []
        }
    }

    /// Chooses the encoder that a group uses from now on, and adds it to the load of its device.
    func assignEncoder(to group: String) -> EncoderSelector.Choice {
        state.withLock { $0.pool.assignEncoder(to: group) }
    }
    /// Records that a group continues with an encoder, or uses none.
    func recordUse(of candidate: EncoderCandidate?, by group: String) {
        state.withLock { $0.pool.recordUse(of: candidate, by: group) }
    }
    /// Returns the encoder that ``assignEncoder(to:)`` would choose now. It assigns nothing.
    func currentChoice(for group: String) -> EncoderSelector.Choice { state.withLock { $0.pool.choose(for: group) } }
    /// Records which encoder the operator wants for a group. `nil` leaves the choice to the configuration.
    func pin(_ candidate: EncoderCandidate?, to group: String) { state.withLock { $0.pool.pin(candidate, to: group) } }
    /// The encoder that the operator wants for a group.
    func pinned(to group: String) -> EncoderCandidate? { state.withLock { $0.pool.pinned(to: group) } }
    /// Returns the FFmpeg options for a candidate in a group. `nil` if its GPU is gone.
    func recipe(for candidate: EncoderCandidate, in group: String, effort: EncoderEffort) -> (any EncoderRecipe)? {
        state.withLock { $0.pool.recipe(for: candidate, in: group, effort: effort) }
    }

    /// Records that frames of a candidate have entered the feed of a group.
    func recordDelivery(of candidate: EncoderCandidate, for group: String) {
        let isFirst = state.withLock { state in
            if state.lastUsed[group] != candidate {
                state.lastUsed[group] = candidate
                // Under the lock: only the newest element is kept, and it must be the complete one.
                lastUsedQueue.yield(state.lastUsed.mapValues(\.description))
            }
            return state.withoutFrame.remove(group) != nil
        }
        if isFirst { queue.yield(.changed) }
    }

    /// Records the failure of an encoder in use.
    func recordFailure(
        of candidate: EncoderCandidate, _ fault: EncoderFault, _ explanation: FailureReason? = nil, in group: String
    ) {
        perform { state, now in state.pool.recordFailure(of: candidate, fault, explanation, in: group, now: now) }
        switch fault {
        // udev does not report everything, such as another owner of the node, or another driver.
        case .deviceGone, .permission, .driverMissing: listDevices()
        default: break
        }
    }

    /// Records that a device came, went or changed.
    func recordHotplug(_ event: HotplugEvent) { queue.yield(.hotplug(event)) }
    /// Lists the devices soon, in the loop.
    func listDevices() { queue.yield(.listDevices) }

    /// Sets the families that `auto` tries, in order of preference.
    func setOrder(_ order: [EncoderFamily]) {
        perform { state, now in state.pool.setOrder(order, now: now) }
    }

    /// Runs the trial of a candidate for a group at once, and returns its result.
    func runTrial(of candidate: EncoderCandidate, _ job: EncodingJob) async -> TrialResult {
        let trial = Trial(candidate, job)
        let result = await self.trial.run(trial, catalogue)
        queue.yield(.trialFinished(trial, result))
        return result
    }

    /// Waits until the trial of the encoder that a group used last has a result, but not after ``firstResultLimit``.
    func waitForFirstResult(for group: String) async {
        await wait(until: Self.firstResultLimit) { !$0.awaitsFirstResult(group) }
    }

    private func wait(until limit: Duration, _ isOver: @escaping @Sendable (State) -> Bool) async {
        guard now < limit else { return }
        await withCheckedContinuation { continuation in
            let wait: Int? = state.withLock { state in
                if state.isEnded || isOver(state) { return nil }
                state.lastWaitID += 1
                state.waits[state.lastWaitID] = Wait(isOver: isOver, continuation: continuation)
                return state.lastWaitID
            }
            guard let wait else { return continuation.resume() }
            queue.yield(.startTimer(wait: wait, until: limit))
        }
    }

    /// Whether the kernel still has a GPU. If it does not answer within 50 ms, the result is true.
    func hasGPU(at slot: String) async -> Bool {
        guard let node = catalogue.gpus.first(where: { $0.slot == slot })?.renderNode else { return true }
        return await BlockingIO.run(atMost: .milliseconds(50)) { GPUList.hasDevice(behind: node) } ?? true
    }

    // MARK: Status

    /// The encoder that each group uses, or used last.
    package var lastUsed: [String: String] { state.withLock { $0.lastUsed.mapValues(\.description) } }
    /// The encoders of the box, with its devices.
    package var catalogue: EncoderCatalogue { state.withLock { $0.pool.catalogue } }
    /// Returns the encoders of a codec that are known to work.
    func usableEncoders(for codec: VideoCodec) -> [EncoderCandidate] {
        encoders.filter { $0.candidate.codec == codec && $0.standing.isUsable }.map(\.candidate)
    }
    /// The state of each GPU.
    var devices: [EncoderPool.Device] { state.withLock { $0.pool.devices } }
    /// The encoders for the codecs of the groups, and whether each works.
    var encoders: [(candidate: EncoderCandidate, standing: Standing)] { state.withLock { $0.pool.encoders } }

    // MARK: The loop

    /// Runs until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { tasks in
            var armed: Duration?
            for await event in events {
                handle(event, in: &tasks)
                if case .tick = event { armed = nil }
                arm(&armed, in: &tasks)
            }
            tasks.cancelAll()
        }
        state.withLock { $0.isEnded = true }
        resumeWaits { _, _ in true }
        lastUsedQueue.finish()
    }

    private func handle(_ event: Event, in tasks: inout DiscardingTaskGroup) {
        switch event {
        case .runTrial(let trial):
            tasks.addTask { [self] in
                if !state.withLock({ $0.lastUsed.values.contains(trial.candidate) }) {
                    await wait(until: Self.trialDelay) { $0.withoutFrame.isEmpty }
                }
                guard !Task.isCancelled else { return }
                queue.yield(.trialFinished(trial, await self.trial.run(trial, catalogue)))
            }
        case .trialFinished(let trial, let result):
            log.note(trial, result)
            perform { state, now in state.pool.trialFinished(trial, result, now: now) }
            resumeWaits { $1.isOver($0) }
        case .hotplug(let event):
            if let recovery = event.wedgeRecovery { handleWedge(event, recovery) }
            switch event.subsystem {
            // A GPU without DRM nodes appears only as a PCI device.
            case "drm", "pci", "video4linux": listDevices(in: &tasks)
            default: if event.action == .lost { listDevices(in: &tasks) }
            }
        case .listDevices:
            listDevices(in: &tasks)
        case .devices(let gpus, let v4l2Encoders):
            let isOutdated = state.withLock { state in
                defer { (state.isListing, state.listsAgain) = (false, false) }
                return state.listsAgain
            }
            if isOutdated { listDevices(in: &tasks) }
            log.note(gpus, before: catalogue)
            perform { state, now in
                state.pool.setDevices(gpus, v4l2Encoders: v4l2Encoders ?? state.pool.catalogue.v4l2Encoders, now: now)
            }
        case .startTimer(let wait, let limit):
            tasks.addTask { [queue, clock, epoch] in
                guard await (try? clock.sleep(until: epoch + limit, tolerance: nil)) != nil else { return }
                queue.yield(.waitTimedOut(wait))
            }
        case .waitTimedOut(let wait):
            state.withLock { $0.waits.removeValue(forKey: wait) }?.continuation.resume()
        case .tick:
            perform { state, now in state.pool.tick(now: now) }
        case .changed:
            resumeWaits { $1.isOver($0) }
        }
    }

    /// Changes the state, and carries out the effects of the pool.
    private func perform(_ body: (inout sending State, Duration) -> [EncoderPool.Effect]) {
        let (effects, moveHandlers) = state.withLock { state in (body(&state, now), state.moveHandlers) }
        for effect in effects {
            switch effect {
            case .runTrial(let trial): queue.yield(.runTrial(trial))
            case .move(let group, let move): moveHandlers[group]?(move)
            }
        }
        queue.yield(.changed)
    }

    /// Sets a timer for the next tick of the pool, if no timer is set for an earlier time.
    ///
    /// - Parameter armed: The time for which the timer is set.
    private func arm(_ armed: inout Duration?, in tasks: inout DiscardingTaskGroup) {
        let now = now
        guard let next = state.withLock({ $0.pool.nextTick(after: now) }), armed.map({ next < $0 }) ?? true else {
            return
        }
        armed = next
        tasks.addTask { [queue, clock, epoch] in
            guard await (try? clock.sleep(until: epoch + next, tolerance: nil)) != nil else { return }
            queue.yield(.tick)
        }
    }

    /// Resumes the callers whose wait is done.
    private func resumeWaits(where isDone: (State, Wait) -> Bool) {
        let done = state.withLock { state in
            let done = state.waits.filter { isDone(state, $0.value) }
            for wait in done.keys { state.waits[wait] = nil }
            return done.values.map(\.continuation)
        }
        for continuation in done { continuation.resume() }
    }

    /// Lists the devices of udev and the drivers, on a thread of its own, because a driver may be slow. Even after a
    /// burst of events, the devices are listed at most twice.
    private func listDevices(in tasks: inout DiscardingTaskGroup) {
        let isFirst = state.withLock { state in
            if state.isListing { state.listsAgain = true }
            defer { state.isListing = true }
            return !state.isListing
        }
        guard isFirst else { return }
        tasks.addTask { [self] in
            async let v4l2Encoders = v4l2Encoders()
            let gpus = await BlockingIO.run { GPUList.read() }
            queue.yield(.devices(gpus, v4l2Encoders: await v4l2Encoders))
        }
    }

    /// How long the list of GPUs waits for the drivers of the video devices. Capture cards are among these devices, and
    /// a card that hangs must not delay the GPUs.
    private static let v4l2AnswerLimit = Duration.seconds(2)

    /// Returns the video devices that encode, or `nil` while a driver does not answer. After a late answer all devices
    /// are listed again.
    private func v4l2Encoders() async -> [V4L2Encoder]? {
        let isFree = state.withLock { state in
            defer { state.isAskingV4L2 = true }
            return !state.isAskingV4L2
        }
        guard isFree else { return nil }
        return await BlockingIO.run(atMost: Self.v4l2AnswerLimit) { [self] in
            let began = clock.now
            let encoders = V4L2EncoderList.read()
            state.withLock { $0.isAskingV4L2 = false }
            if clock.now - began >= Self.v4l2AnswerLimit { listDevices() }
            return encoders
        }
    }

    /// Handles the kernel's report that a GPU is wedged.
    ///
    /// - Parameter recovery: How the GPU can be recovered, in the kernel's words. `none`: it was reset and works again.
    private func handleWedge(_ event: HotplugEvent, _ recovery: String) {
        guard let gpu = catalogue.gpus.first(where: { event.path.contains("/\($0.slot)/") }) else { return }
        // The driver has reset the GPU, and it works again. If the reset broke an encoder, that encoder reports its own
        // error.
        guard recovery != "none" else { return log.noteReset(of: gpu.slot) }
        log.noteGivenUp(gpu.slot, recovery: recovery)
        perform { state, now in state.pool.recordWedge(of: gpu.slot, recovery: recovery, now: now) }
    }
}
