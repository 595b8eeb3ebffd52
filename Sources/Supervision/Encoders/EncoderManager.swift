package import BoxConfiguration
import CapabilityProbe
package import EncoderSelection
import FFmpeg
package import Logging
import MediaTypes
import Synchronization
import SystemSupport

/// Knows which encoders of the box work. It tries them, follows devices that come and go, and tells groups when to use
/// another encoder.
///
/// Groups ask it without waiting. ``run()`` does the slow work.
package final class EncoderManager: Sendable {
    private struct State {
        var pool: EncoderPool
        var listeners: [String: @Sendable (EncoderPool.Move) -> Void] = [:]
        /// The encoders that groups used when the service last ran, or use now.
        var lastGood: [String: EncoderCandidate]
        /// The callers that wait for verdicts, by the number of the wait.
        var waiting: [Int: Wait] = [:]
        var waits = 0
        /// Whether the manager has stopped, so that no verdict follows.
        var isEnded = false
        /// The groups that asked for an encoder at the start and have no frame on air yet.
        var withoutFrame: Set<String> = []
        /// Whether a task is listing the devices.
        var isLooking = false
        /// Whether the devices may have changed since that task began, so they are listed again.
        var looksAgain = false
        /// Whether a thread is listing the video devices.
        var isAskingBoards = false

        /// The encoder that a group used before has no verdict yet.
        func isWaitedFor(_ group: String) -> Bool {
            guard let last = lastGood[group], !last.isSoftware else { return false }
            return pool.standing(of: last, for: group) == .untried
        }
    }

    /// A caller that waits for a condition.
    private struct Wait {
        var isOver: @Sendable (State) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private enum Event: Sendable {
        case attempt(Trial)
        case tried(Trial, TrialResult)
        case hotplug(HotplugEvent)
        case look
        /// - boards: `nil` while the driver of a board does not answer.
        case devices([GPU], boards: [V4L2Encoder]?)
        case wait(Int, until: Duration)
        /// The time limit of a wait is over.
        case waited(Int)
        /// The state changed: check the waits and the next tick.
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
    /// The encoders that groups use, after each change; the newest only.
    package let goods: AsyncStream<[String: String]>
    private let goodsQueue: AsyncStream<[String: String]>.Continuation

    /// How long a start waits for a verdict. A trial that passes takes a quarter of a second, most often less than the
    /// first frame. The start does not wait longer for a dead GPU.
    private static let grace = Duration.milliseconds(600)
    /// How long trials that no group waits for leave the processor to the first frames: on a small box both together
    /// take twice as long.
    private static let firstFrames = Duration.seconds(3)

    /// - Parameters:
    ///   - order: The families that `auto` tries.
    ///   - lastGood: The encoder that each group used when the service last ran.
    package convenience init(
        _ catalogue: EncoderCatalogue, order: [EncoderFamily] = EncoderPreferences.defaultOrder,
        lastGood: [String: String] = [:],
        trial: EncoderTrial, logger: Logger
    ) {
        self.init(
            catalogue, order: order, lastGood: lastGood, trial: trial, logger: logger, clock: ContinuousClock())
    }

    /// - Parameter clock: Tests advance it by hand.
    init(
        _ catalogue: EncoderCatalogue, order: [EncoderFamily] = EncoderPreferences.defaultOrder,
        lastGood: [String: String] = [:],
        trial: EncoderTrial, logger: Logger, clock: any ServiceClock
    ) {
        self.clock = clock
        state = Mutex(
            State(
                pool: EncoderPool(catalogue, order: order),
                lastGood: lastGood.mapValues { EncoderCandidate(parsing: $0) }))
        self.trial = trial
        log = EncoderLog(logger)
        (events, queue) = AsyncStream.makeStream()
        (goods, goodsQueue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        epoch = clock.now
    }

    private var now: Duration { clock.now - epoch }

    // MARK: Groups

    /// Adds a group, or changes its wish or the frames that arrive for it.
    ///
    /// - Parameter moved: Called when the group should be handed over to another encoder. It must not block.
    func need(
        _ wish: VideoEncoding, as job: EncodingJob, for group: String,
        moved: (@Sendable (EncoderPool.Move) -> Void)? = nil
    ) {
        perform { state, now in
            if let moved, state.listeners.updateValue(moved, forKey: group) == nil, now < Self.firstFrames {
                state.withoutFrame.insert(group)
            }
            return state.pool.need(wish, as: job, for: group, lastGood: state.lastGood[group], now: now)
        }
    }

    /// Removes a group.
    func forget(_ group: String) {
        perform { state, _ in
            state.pool.forget(group)
            state.listeners[group] = nil
            state.withoutFrame.remove(group)
            return []
        }
    }

    /// Assigns the encoder that a group should use now.
    func assign(to group: String) -> EncoderSelector.Choice { state.withLock { $0.pool.assign(to: group) } }
    /// Records that a group continues with an encoder, or uses none.
    func keep(_ candidate: EncoderCandidate?, for group: String) {
        state.withLock { $0.pool.keep(candidate, for: group) }
    }
    func choice(for group: String) -> EncoderSelector.Choice { state.withLock { $0.pool.choose(for: group) } }
    func pin(_ candidate: EncoderCandidate?, to group: String) { state.withLock { $0.pool.pin(candidate, to: group) } }
    func pinned(to group: String) -> EncoderCandidate? { state.withLock { $0.pool.pinned(to: group) } }
    func recipe(for candidate: EncoderCandidate, in group: String, effort: EncoderEffort) -> (any EncoderRecipe)? {
        state.withLock { $0.pool.recipe(for: candidate, in: group, effort: effort) }
    }

    /// Records that a candidate's frames are in the output of a group.
    func delivers(_ candidate: EncoderCandidate, for group: String) {
        let isFirst = state.withLock { state in
            if state.lastGood[group] != candidate {
                state.lastGood[group] = candidate
                // Under the lock: only the newest element is kept, and it must be the complete one.
                goodsQueue.yield(state.lastGood.mapValues(\.description))
            }
            return state.withoutFrame.remove(group) != nil
        }
        if isFirst { queue.yield(.changed) }
    }

    /// Records the failure of an encoder in use.
    func failed(
        _ candidate: EncoderCandidate, _ fault: EncoderFault, _ explanation: FailureReason? = nil, in group: String
    ) {
        perform { state, now in state.pool.failed(candidate, fault, explanation, in: group, now: now) }
        switch fault {
        // udev does not report everything, such as another owner of the node, or another driver.
        case .deviceGone, .permission, .driverMissing: look()
        default: break
        }
    }

    /// Records that a device came, went or changed.
    func note(_ event: HotplugEvent) { queue.yield(.hotplug(event)) }
    /// Lists the devices soon.
    func look() { queue.yield(.look) }

    func setOrder(_ order: [EncoderFamily]) {
        perform { state, now in state.pool.setOrder(order, now: now) }
    }

    /// Tries a candidate for a group at once.
    func attempt(_ candidate: EncoderCandidate, _ job: EncodingJob) async -> TrialResult {
        let trial = Trial(candidate, job)
        let result = await self.trial.run(trial, catalogue)
        queue.yield(.tried(trial, result))
        return result
    }

    /// Waits a short time for the verdict on the encoder that a group used before.
    func firstVerdict(for group: String) async {
        await wait(until: Self.grace) { !$0.isWaitedFor(group) }
    }

    private func wait(until limit: Duration, _ isOver: @escaping @Sendable (State) -> Bool) async {
        guard now < limit else { return }
        await withCheckedContinuation { continuation in
            let wait: Int? = state.withLock { state in
                if state.isEnded || isOver(state) { return nil }
                state.waits += 1
                state.waiting[state.waits] = Wait(isOver: isOver, continuation: continuation)
                return state.waits
            }
            guard let wait else { return continuation.resume() }
            queue.yield(.wait(wait, until: limit))
        }
    }

    /// Whether the kernel still has a GPU. If it does not answer at once, the answer is yes.
    func isThere(_ slot: String) async -> Bool {
        guard let node = catalogue.gpus.first(where: { $0.slot == slot })?.renderNode else { return true }
        return await BlockingIO.run(atMost: .milliseconds(50)) { GPUList.hasDevice(behind: node) } ?? true
    }

    // MARK: For people

    /// The encoders that groups use, or used last.
    package var used: [String: String] { state.withLock { $0.lastGood.mapValues(\.description) } }
    package var catalogue: EncoderCatalogue { state.withLock { $0.pool.catalogue } }
    /// The encoders that are known to work, for a codec.
    func usable(for codec: VideoCodec) -> [EncoderCandidate] {
        encoders.filter { $0.candidate.codec == codec && $0.standing.isUsable }.map(\.candidate)
    }
    var devices: [EncoderPool.Device] { state.withLock { $0.pool.devices } }
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
        release { _, _ in true }
        goodsQueue.finish()
    }

    private func handle(_ event: Event, in tasks: inout DiscardingTaskGroup) {
        switch event {
        case .attempt(let trial):
            tasks.addTask { [self] in
                if !state.withLock({ $0.lastGood.values.contains(trial.candidate) }) {
                    await wait(until: Self.firstFrames) { $0.withoutFrame.isEmpty }
                }
                guard !Task.isCancelled else { return }
                queue.yield(.tried(trial, await self.trial.run(trial, catalogue)))
            }
        case .tried(let trial, let result):
            log.note(trial, result)
            perform { state, now in state.pool.tried(trial, result, now: now) }
            release { $1.isOver($0) }
        case .hotplug(let event):
            if let recovery = event.wedged { wedged(event, recovery) }
            switch event.subsystem {
            // A GPU without DRM nodes is a device of the bus alone.
            case "drm", "pci", "video4linux": look(in: &tasks)
            default: if event.action == .lost { look(in: &tasks) }
            }
        case .look:
            look(in: &tasks)
        case .devices(let gpus, let boards):
            let isOutdated = state.withLock { state in
                defer { (state.isLooking, state.looksAgain) = (false, false) }
                return state.looksAgain
            }
            if isOutdated { look(in: &tasks) }
            log.note(gpus, before: catalogue)
            perform { state, now in state.pool.set(gpus, boards: boards ?? state.pool.catalogue.boards, now: now) }
        case .wait(let wait, let limit):
            tasks.addTask { [queue, clock, epoch] in
                guard await (try? clock.sleep(until: epoch + limit, tolerance: nil)) != nil else { return }
                queue.yield(.waited(wait))
            }
        case .waited(let wait):
            state.withLock { $0.waiting.removeValue(forKey: wait) }?.continuation.resume()
        case .tick:
            perform { state, now in state.pool.tick(now: now) }
        case .changed:
            release { $1.isOver($0) }
        }
    }

    /// Changes the pool, and carries out its effects.
    private func perform(_ body: (inout sending State, Duration) -> [EncoderPool.Effect]) {
        let (effects, listeners) = state.withLock { state in (body(&state, now), state.listeners) }
        for effect in effects {
            switch effect {
            case .attempt(let trial): queue.yield(.attempt(trial))
            case .move(let group, let move): listeners[group]?(move)
            }
        }
        queue.yield(.changed)
    }

    /// Plans the next tick.
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

    private func release(_ isDone: (State, Wait) -> Bool) {
        let done = state.withLock { state in
            let done = state.waiting.filter { isDone(state, $0.value) }
            for wait in done.keys { state.waiting[wait] = nil }
            return done.values.map(\.continuation)
        }
        for continuation in done { continuation.resume() }
    }

    /// Lists the devices of udev and the drivers, on a thread of its own, because a driver may be slow. A burst of
    /// events lists them twice at most.
    private func look(in tasks: inout DiscardingTaskGroup) {
        let isFirst = state.withLock { state in
            if state.isLooking { state.looksAgain = true }
            defer { state.isLooking = true }
            return !state.isLooking
        }
        guard isFirst else { return }
        tasks.addTask { [self] in
            async let boards = boards()
            let gpus = await BlockingIO.run { GPUList.read() }
            queue.yield(.devices(gpus, boards: await boards))
        }
    }

    /// The time limit for the video devices to answer. Capture cards are asked too, and GPUs do not wait for a card
    /// that hangs.
    private static let boardPatience = Duration.seconds(2)

    /// The video devices that encode; `nil` while one does not answer. The devices are listed again after its answer.
    private func boards() async -> [V4L2Encoder]? {
        let isFree = state.withLock { state in
            defer { state.isAskingBoards = true }
            return !state.isAskingBoards
        }
        guard isFree else { return nil }
        return await BlockingIO.run(atMost: Self.boardPatience) { [self] in
            let began = clock.now
            let boards = V4L2EncoderList.read()
            state.withLock { $0.isAskingBoards = false }
            if clock.now - began >= Self.boardPatience { look() }
            return boards
        }
    }

    private func wedged(_ event: HotplugEvent, _ recovery: String) {
        guard let gpu = catalogue.gpus.first(where: { event.path.contains("/\($0.slot)/") }) else { return }
        // The driver has reset the GPU, and it works again. An encoder that failed by that reports an error of its own.
        guard recovery != "none" else { return log.noteReset(of: gpu.slot) }
        log.noteGivenUp(gpu.slot, recovery: recovery)
        perform { state, now in state.pool.wedged(gpu.slot, recovery: recovery, now: now) }
    }
}
