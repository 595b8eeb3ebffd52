package import BoxConfiguration
import CapabilityProbe
package import EncoderSelection
import FFmpeg
package import Logging
import MediaTypes
import Synchronization
import SystemSupport

/// Keeps what is known of the box's encoders true while the service runs: tries them, hears of devices that come and
/// go, and tells groups when they should use another.
///
/// Groups ask it without waiting; what takes time is done in ``run()``.
package final class EncoderManager: Sendable {
    private struct State {
        var pool: EncoderPool
        var listeners: [String: @Sendable (EncoderPool.Move) -> Void] = [:]
        /// What groups used when the service last ran, or use now.
        var lastGood: [String: EncoderCandidate]
        /// Who waits for verdicts, by the number of the wait.
        var waiting: [Int: Wait] = [:]
        var waits = 0
        /// No verdict comes any more.
        var isEnded = false
        /// Who asked for an encoder at the start and has not shown a picture yet.
        var dark: Set<String> = []
        /// Somebody asks the drivers what is there; and shall ask again, for something happened meanwhile.
        var isLooking = false
        var looksAgain = false
        /// Somebody asks the drivers of video devices.
        var isAskingBoards = false
        /// Why candidates did not pass, as it was logged.
        var told: [EncoderCandidate: String] = [:]

        /// What a group used before has no verdict yet.
        func isWaitedFor(_ group: String) -> Bool {
            guard let last = lastGood[group], !last.isSoftware else { return false }
            return pool.standing(of: last, for: group) == .untried
        }
    }

    /// Somebody who starts with what is known once this is so.
    private struct Wait {
        var isOver: @Sendable (State) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private enum Event: Sendable {
        case attempt(Trial)
        case tried(Trial, TrialResult)
        case hotplug(HotplugEvent)
        case look
        /// - boards: `nil` while the driver of one does not answer.
        case devices([GPU], boards: [V4L2Encoder]?)
        case wait(Int, until: Duration)
        /// A wait has taken as long as it may.
        case waited(Int)
        /// Something was asked or said: look when to look next.
        case changed
        case tick
    }

    private let state: Mutex<State>
    private let trial: EncoderTrial
    private let logger: Logger
    private let events: AsyncStream<Event>
    private let queue: AsyncStream<Event>.Continuation
    private let clock: any ServiceClock
    private let epoch: ContinuousClock.Instant
    /// What groups use, each time that it changes; the newest only.
    package let goods: AsyncStream<[String: String]>
    private let goodsQueue: AsyncStream<[String: String]>.Continuation

    /// How long a start waits for a verdict. A trial that passes takes a quarter of a second, most often less than the
    /// first picture; a GPU that is dead is not waited for.
    private static let grace = Duration.milliseconds(600)
    /// How long trials that nobody waits for leave the processor to the first pictures: on a small box both together
    /// take twice as long.
    private static let firstPictures = Duration.seconds(3)

    /// - Parameters:
    ///   - order: The families that `auto` tries.
    ///   - lastGood: What each group used when the service last ran.
    package convenience init(
        _ catalogue: EncoderCatalogue, order: [EncoderFamily] = EncoderPreferences.defaultOrder,
        lastGood: [String: String] = [:],
        trial: EncoderTrial, logger: Logger
    ) {
        self.init(
            catalogue, order: order, lastGood: lastGood, trial: trial, logger: logger, clock: ContinuousClock())
    }

    /// The same, with the clock as a parameter: for tests.
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
        self.logger = logger
        (events, queue) = AsyncStream.makeStream()
        (goods, goodsQueue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        epoch = clock.now
    }

    private var now: Duration { clock.now - epoch }

    // MARK: Groups

    /// A group is there, or asks for something else, or other pictures arrive for it.
    ///
    /// - Parameter moved: Called when it should be handed over to another encoder; it must not block.
    func need(
        _ wish: VideoEncoding, as job: EncodingJob, for group: String,
        moved: (@Sendable (EncoderPool.Move) -> Void)? = nil
    ) {
        perform { state, now in
            if let moved, state.listeners.updateValue(moved, forKey: group) == nil, now < Self.firstPictures {
                state.dark.insert(group)
            }
            return state.pool.need(wish, as: job, for: group, lastGood: state.lastGood[group], now: now)
        }
    }

    /// A group is gone.
    func forget(_ group: String) {
        perform { state, _ in
            state.pool.forget(group)
            state.listeners[group] = nil
            state.dark.remove(group)
            return []
        }
    }

    /// What a group is to use now.
    func assign(to group: String) -> EncoderSelector.Choice { state.withLock { $0.pool.assign(to: group) } }
    /// A group goes on with what it has, or uses nothing.
    func keep(_ candidate: EncoderCandidate?, for group: String) {
        state.withLock { $0.pool.keep(candidate, for: group) }
    }
    func choice(for group: String) -> EncoderSelector.Choice { state.withLock { $0.pool.choose(for: group) } }
    func pin(_ candidate: EncoderCandidate?, to group: String) { state.withLock { $0.pool.pin(candidate, to: group) } }
    func pinned(to group: String) -> EncoderCandidate? { state.withLock { $0.pool.pinned(to: group) } }
    func recipe(for candidate: EncoderCandidate, in group: String, effort: EncoderEffort) -> (any EncoderRecipe)? {
        state.withLock { $0.pool.recipe(for: candidate, in: group, effort: effort) }
    }

    /// A candidate's pictures go out for a group.
    func delivers(_ candidate: EncoderCandidate, for group: String) {
        let isFirst = state.withLock { state in
            if state.lastGood[group] != candidate {
                state.lastGood[group] = candidate
                // Under the lock: only the newest is kept, and it must be the one that has everything.
                goodsQueue.yield(state.lastGood.mapValues(\.description))
            }
            return state.dark.remove(group) != nil
        }
        if isFirst { queue.yield(.changed) }
    }

    /// An encoder failed in use.
    func failed(
        _ candidate: EncoderCandidate, _ fault: EncoderFault, _ explanation: FailureReason? = nil, in group: String
    ) {
        perform { state, now in state.pool.failed(candidate, fault, explanation, in: group, now: now) }
        switch fault {
        // What udev did not tell may be seen: another owner of the node, another driver.
        case .deviceGone, .permission, .driverMissing: look()
        default: break
        }
    }

    /// A device came, went or changed.
    func note(_ event: HotplugEvent) { queue.yield(.hotplug(event)) }
    /// Asks what is there, soon.
    func look() { queue.yield(.look) }

    func setOrder(_ order: [EncoderFamily]) {
        perform { state, now in state.pool.setOrder(order, now: now) }
    }

    /// Tries a candidate for a group, at once.
    func attempt(_ candidate: EncoderCandidate, _ job: EncodingJob) async -> TrialResult {
        let trial = Trial(candidate, job)
        let result = await self.trial.run(trial, catalogue)
        queue.yield(.tried(trial, result))
        return result
    }

    /// Waits until it is known whether what a group used before still works, and not for long.
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

    /// The kernel still has a GPU, as far as it says at once; one that does not answer is there.
    func isThere(_ slot: String) async -> Bool {
        guard let node = catalogue.gpus.first(where: { $0.slot == slot })?.renderNode else { return true }
        return await BlockingIO.run(atMost: .milliseconds(50)) { GPUList.hasDevice(behind: node) } ?? true
    }

    // MARK: For people

    /// What groups use, or used last.
    package var used: [String: String] { state.withLock { $0.lastGood.mapValues(\.description) } }
    package var catalogue: EncoderCatalogue { state.withLock { $0.pool.catalogue } }
    /// What a group could be handed to now, as far as is known.
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
                    await wait(until: Self.firstPictures) { $0.dark.isEmpty }
                }
                guard !Task.isCancelled else { return }
                queue.yield(.tried(trial, await self.trial.run(trial, catalogue)))
            }
        case .tried(let trial, let result):
            report(trial, result)
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
            note(gpus, catalogue)
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

    /// Changes the pool, and has done what it asks for.
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

    /// Sees to it that a tick comes when it is due.
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

    /// Asks udev and the drivers what is there; on a thread of its own, for a driver may take its time. A burst of
    /// events is answered by two looks at the most.
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

    /// How long video devices may take to say what they are. All of them are asked, capture cards too, and GPUs do not
    /// wait for one that hangs.
    private static let boardPatience = Duration.seconds(2)

    /// The video devices that encode; `nil` while one does not answer. It is asked once, and looked at again when it
    /// has answered.
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

    // MARK: What happened, for the log

    private func report(_ trial: Trial, _ result: TrialResult) {
        let metadata: Logger.Metadata = [
            "encoder": "\(trial.candidate)", "size": "\(trial.job.settings.size ?? trial.job.arriving)",
        ]
        switch result {
        case .passed:
            state.withLock { $0.told[trial.candidate] = nil }
            logger.info("the encoder passed its trial", metadata: metadata)
        case .failed(let cause, let why):
            // It is tried again and again; what it says is news once.
            let isNews = state.withLock { $0.told.updateValue(why.sentence, forKey: trial.candidate) } != why.sentence
            logger.log(
                level: isNews ? .notice : .debug, "the encoder did not pass its trial: \(why)",
                metadata: metadata.merging(["cause": "\(cause.rawValue)"]) { $1 })
        }
    }

    private func note(_ gpus: [GPU], _ before: EncoderCatalogue) {
        let known = Set(before.gpus.map(\.slot)).subtracting(before.gone)
        for gpu in gpus where !known.contains(gpu.slot) {
            logger.notice("a GPU is there", metadata: ["gpu": "\(gpu.slot)", "driver": "\(gpu.driver)"])
        }
        for slot in known.subtracting(gpus.map(\.slot)).sorted() {
            logger.warning("a GPU is gone", metadata: ["gpu": "\(slot)"])
        }
    }

    private func wedged(_ event: HotplugEvent, _ recovery: String) {
        guard let gpu = catalogue.gpus.first(where: { event.path.contains("/\($0.slot)/") }) else { return }
        // Its driver has reset it, and it works again; whoever lost by that has an error of its own.
        guard recovery != "none" else {
            return logger.warning("the kernel has reset a GPU", metadata: ["gpu": "\(gpu.slot)"])
        }
        logger.error("the kernel has given a GPU up", metadata: ["gpu": "\(gpu.slot)", "wedged": "\(recovery)"])
        perform { state, now in state.pool.wedged(gpu.slot, recovery: recovery, now: now) }
    }
}
