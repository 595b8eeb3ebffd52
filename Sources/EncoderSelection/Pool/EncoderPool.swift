package import BoxConfiguration
package import CapabilityProbe
package import FFmpeg
import MediaTypes

/// What is known of the encoders of a box, which group uses which, what rests, and what has to be tried next.
///
/// Pure: times come in, effects go out. A time is the duration since any fixed moment, on a clock that does not go
/// back.
package struct EncoderPool: Sendable {
    package enum Effect: Sendable, Hashable {
        /// Run this trial and report it with ``tried(_:_:now:)``.
        case attempt(Trial)
        /// The group should be handed over to what ``assign(to:)`` gives now.
        case move(group: String, Move)
    }

    /// Why a group should get another encoder.
    package enum Move: Sendable, Hashable {
        /// One that it would rather have works.
        case better
        /// The GPU of the one in use is gone.
        case gone
        /// The device of the one in use failed for another group.
        case failing
        /// It hangs for another group, so this one's is not to be waited for.
        case hanging
        /// The one in use is no longer among what the configuration allows.
        case changed
    }

    /// At most so many trials run at a time, each on a device of its own: the stream in use needs the processor, too.
    package static let mostTrials = 2

    package private(set) var catalogue: EncoderCatalogue
    /// The families that `auto` tries.
    package private(set) var order: [EncoderFamily]

    private struct Group: Sendable {
        var wish: VideoEncoding
        var job: EncodingJob
        /// Those who came first are served first.
        let number: Int
        /// What it was given last, and may not have taken yet.
        var assigned: EncoderCandidate?
        /// What the operator asked for.
        var pinned: EncoderCandidate?
        /// What it used when the service last ran.
        var lastGood: EncoderCandidate?
        var rests: [EncoderCandidate: Rest] = [:]
    }

    private enum Verdict: Sendable {
        case passed(scalesOnGPU: Bool)
        /// - Parameter rest: When it is tried again; `nil` for what will not change.
        case failed(FailureReason, rest: Rest?)
    }

    /// Whose failures are counted.
    private enum Culprit: Sendable, Hashable {
        case device(String)
        case use(group: String, EncoderCandidate)
    }

    private var groups: [String: Group] = [:]
    private var nextNumber = 0
    private var verdicts: [Trial: Verdict] = [:]
    /// By device.
    private var rests: [String: Rest] = [:]
    private var failures: [Culprit: [Duration]] = [:]
    private var running: Set<Trial> = []
    /// Those of them whose device failed or changed after they began: what they show is past.
    private var outdated: Set<Trial> = []

    package init(_ catalogue: EncoderCatalogue, order: [EncoderFamily] = EncoderPreferences.defaultOrder) {
        self.catalogue = catalogue
        self.order = order
    }

    // MARK: Groups

    /// A group is there, or asks for something else, or other pictures arrive for it.
    ///
    /// - Parameters:
    ///   - job: What the wish comes to with what arrives.
    ///   - lastGood: What it used when the service last ran; it is tried first.
    package mutating func need(
        _ wish: VideoEncoding, as job: EncodingJob, for name: String, lastGood: EncoderCandidate? = nil, now: Duration
    ) -> [Effect] {
        if groups[name] == nil {
            groups[name] = Group(wish: wish, job: job, number: nextNumber, lastGood: lastGood)
            nextNumber += 1
        } else if groups[name]?.wish != wish {
            groups[name]?.wish = wish
            groups[name]?.pinned = nil
            groups[name]?.rests = [:]
            failures = failures.filter { culprit, _ in if case .use(group: name, _) = culprit { false } else { true } }
        }
        groups[name]?.job = job
        forgetVerdicts()
        return attempts(now)
    }

    /// A group is gone.
    package mutating func forget(_ name: String) {
        groups[name] = nil
        failures = failures.filter { culprit, _ in if case .use(group: name, _) = culprit { false } else { true } }
        forgetVerdicts()
    }

    /// The encoder that a group is to use now. It counts as the device's load from now on.
    package mutating func assign(to name: String) -> EncoderSelector.Choice {
        let choice = choose(for: name)
        groups[name]?.assigned = choice.candidate
        return choice
    }

    /// A group goes on with what it has, or uses nothing.
    package mutating func keep(_ candidate: EncoderCandidate?, for name: String) {
        groups[name]?.assigned = candidate
    }

    /// The operator wants an encoder for a group, or leaves it to the configuration.
    package mutating func pin(_ candidate: EncoderCandidate?, to name: String) {
        groups[name]?.pinned = candidate
    }

    package func pinned(to name: String) -> EncoderCandidate? { groups[name]?.pinned }

    package mutating func setOrder(_ order: [EncoderFamily], now: Duration) -> [Effect] {
        guard order != self.order else { return [] }
        self.order = order
        return moves() + attempts(now)
    }

    // MARK: Devices

    /// The devices that are there now.
    package mutating func set(_ gpus: [GPU], boards: [V4L2Encoder], now: Duration) -> [Effect] {
        let before = catalogue
        let inUse = Set(groups.values.compactMap { $0.assigned?.gpu })
        catalogue.boards = boards
        catalogue.update(gpus)
        for gpu in gpus {
            let known = before.gpus.first { $0.slot == gpu.slot }
            guard known != gpu || before.gone.contains(gpu.slot) else { continue }
            // It came back, perhaps with another driver or with permission: what was found out does not hold any more.
            verdicts = verdicts.filter { $0.key.candidate.gpu != gpu.slot }
            outdate(gpu.slot)
            if !isNotorious(.device(gpu.slot), now) { rests[gpu.slot]?.until = now }
        }
        // A removal is a failure, too: a GPU that comes and goes is not to be handed a stream each time.
        for slot in catalogue.gone.subtracting(before.gone).intersection(inUse) {
            rest(slot, FailureReason(Self.removal), now)
        }
        return moves() + attempts(now)
    }

    /// The kernel says that a GPU is beyond recovery.
    package mutating func wedged(_ slot: String, recovery: String, now: Duration) -> [Effect] {
        let reason: FailureReason =
            "the kernel has given it up (wedged; it asks for: \(recovery)); restart the box if it does not come back"
        rest(slot, reason, now)
        rests[slot]?.reason = reason
        return moves() + attempts(now)
    }

    /// An encoder failed in use.
    ///
    /// - Parameter explanation: For people; the fault's own sentence where there is no better one.
    package mutating func failed(
        _ candidate: EncoderCandidate, _ fault: EncoderFault, _ explanation: FailureReason? = nil, in name: String,
        now: Duration
    ) -> [Effect] {
        guard !candidate.isSoftware, let group = groups[name] else { return [] }
        let reason = explanation ?? FailureReason(fault.sentence)
        switch fault {
        case .deviceGone, .driverError, .driverMissing, .hang, .permission:
            rest(candidate.device, reason, now)
            if fault == .hang { rests[candidate.device]?.isHung = true }
        case .sessionLimit, .slow, .handover:
            rest(candidate, in: name, reason, now)
        case .crash:
            let culprit = Culprit.use(group: name, candidate)
            if (failures[culprit]?.last).map({ now - $0 < .seconds(60) }) ?? false {
                rest(candidate, in: name, reason, now)
            } else {
                failures[culprit, default: []].append(now)
            }
        case .unsupported:
            verdicts[Trial(candidate, group.job)] = .failed(reason, rest: nil)
        }
        return moves(except: name) + attempts(now)
    }

    private static let removal = "it was pulled, or its driver let it go"

    /// Everybody who uses a device tells of its failure, each in words of their own: it counts once, until it has
    /// passed a trial.
    private mutating func rest(_ device: String, _ reason: FailureReason, _ now: Duration) {
        outdate(device)
        guard rests[device] == nil else { return }
        rests[device] = Rest(
            reason: reason, until: now + pause(.device(device), now), step: (failures[.device(device)]?.count ?? 1) - 1)
    }

    private mutating func rest(
        _ candidate: EncoderCandidate, in name: String, _ reason: FailureReason, _ now: Duration
    ) {
        let culprit = Culprit.use(group: name, candidate)
        let pause = pause(culprit, now)
        groups[name]?.rests[candidate] = Rest(
            reason: reason, until: now + pause, step: (failures[culprit]?.count ?? 1) - 1)
    }

    private mutating func outdate(_ device: String) {
        outdated.formUnion(running.filter { $0.candidate.device == device })
    }

    /// Counts a failure, and says how long to wait after it.
    private mutating func pause(_ culprit: Culprit, _ now: Duration) -> Duration {
        var recent = (failures[culprit] ?? []).filter { now - $0 < RestPolicy.memory }
        recent.append(now)
        failures[culprit] = recent.suffix(16)
        return recent.count >= RestPolicy.most ? RestPolicy.cap : RestPolicy.pause(recent.count - 1)
    }

    private func isNotorious(_ culprit: Culprit, _ now: Duration) -> Bool {
        (failures[culprit] ?? []).filter { now - $0 < RestPolicy.memory }.count >= RestPolicy.most
    }

    // MARK: Trials

    /// A trial has ended.
    package mutating func tried(_ trial: Trial, _ result: TrialResult, now: Duration) -> [Effect] {
        running.remove(trial)
        guard outdated.remove(trial) == nil else { return moves() + attempts(now) }
        let candidate = trial.candidate
        switch result {
        case .passed(let scalesOnGPU):
            verdicts[trial] = .passed(scalesOnGPU: scalesOnGPU)
            rests[candidate.device] = nil
            for name in groups.keys where groups[name]?.job == trial.job { groups[name]?.rests[candidate] = nil }
        case .failed(let cause, let reason):
            var rest: Rest?
            switch cause {
            // Nothing but another wish or another device changes that; both begin anew.
            case .unsupported: break
            default:
                if case .failed(_, let former?) = verdicts[trial] { rest = former }
                if rest == nil {
                    rest = Rest(reason: reason, until: now + RestPolicy.first, step: 0)
                } else {
                    rest?.longer(reason, now: now)
                }
            }
            // A group that does the same with it shows better than a trial that it works: the trial found no session
            // free.
            let isProven = groups.values.contains {
                $0.job == trial.job && $0.assigned == candidate && $0.rests[candidate] == nil
            }
            if case .passed = verdicts[trial], isProven {} else { verdicts[trial] = .failed(reason, rest: rest) }
            rests[candidate.device]?.longer(reason, now: now)
            for name in groups.keys where groups[name]?.job == trial.job {
                groups[name]?.rests[candidate]?.longer(reason, now: now)
            }
        }
        return moves() + attempts(now)
    }

    /// Time has passed.
    package mutating func tick(now: Duration) -> [Effect] { attempts(now) }

    /// When ``tick(now:)`` has something to do next; `nil` while nothing rests.
    package func nextTick(after now: Duration) -> Duration? {
        var times: [Duration] = []
        for trial in wanted() where !running.contains(trial) {
            if let due = due(trial) { times.append(due) }
        }
        times += rests.filter { !catalogue.gone.contains($0.key) }.map(\.value.until)
        return times.filter { $0 > now }.min()
    }

    /// The trials that are due, in the order in which groups wait for them.
    private mutating func attempts(_ now: Duration) -> [Effect] {
        let wanted = wanted()
        // A rest that no trial would end is over with its pause.
        let awaited = Set(wanted.filter { due($0) != nil }.map(\.candidate.device)).union(catalogue.gone)
        rests = rests.filter { device, rest in rest.until > now || awaited.contains(device) }
        var busy = Set(running.map(\.candidate.device))
        var effects: [Effect] = []
        for trial in wanted {
            guard running.count < Self.mostTrials else { break }
            guard !running.contains(trial), let due = due(trial), due <= now,
                busy.insert(trial.candidate.device).inserted
            else { continue }
            running.insert(trial)
            effects.append(.attempt(trial))
        }
        return effects
    }

    /// Every trial that could tell a group something: first what was good before, then as the groups would have them.
    private func wanted() -> [Trial] {
        var trials: [Trial] = []
        let sorted = groups.sorted { $0.value.number < $1.value.number }
        for (name, group) in sorted {
            guard let last = group.lastGood, hardware(for: name).contains(last) else { continue }
            trials.append(Trial(last, group.job))
        }
        // What each group would have first comes before what any would have second.
        let ranked = sorted.map { name, group in hardware(for: name).map { Trial($0, group.job) } }
        for rank in 0..<(ranked.map(\.count).max() ?? 0) {
            trials += ranked.compactMap { rank < $0.count ? $0[rank] : nil }
        }
        var seen: Set<Trial> = []
        return trials.filter { seen.insert($0).inserted }
    }

    /// What a group would rather have than software, best first; and that can be tried at all.
    private func hardware(for name: String) -> [EncoderCandidate] {
        guard let group = groups[name] else { return [] }
        return selector(for: name).candidates(for: group.wish).prefix { !$0.isSoftware }.filter {
            catalogue.initialStanding(of: $0) == .untried
        }
    }

    /// When a trial may run; `nil` when there is nothing to find out.
    private func due(_ trial: Trial) -> Duration? {
        let resting = groups.values.compactMap { $0.job == trial.job ? $0.rests[trial.candidate] : nil }
        if let rest = rests[trial.candidate.device] {
            if case .failed(_, nil) = verdicts[trial] { return nil }
            return rest.until
        }
        if let soonest = resting.map(\.until).min() { return soonest }
        switch verdicts[trial] {
        case nil: return .zero
        case .passed: return nil
        case .failed(_, let rest): return rest?.until
        }
    }

    /// What no group asks for any more is forgotten; that a candidate passed once is not.
    private mutating func forgetVerdicts() {
        let jobs = Set(groups.values.map(\.job))
        verdicts = verdicts.filter { trial, verdict in
            if case .passed = verdict { return true }
            return jobs.contains(trial.job)
        }
        // Sources that change their size again and again leave no more than this behind.
        guard verdicts.count > 256 else { return }
        verdicts = verdicts.filter { jobs.contains($0.key.job) }
    }

    // MARK: The choice

    /// What a group would be given now, and why.
    package func choose(for name: String) -> EncoderSelector.Choice {
        guard let group = groups[name] else {
            return EncoderSelector.Choice(candidate: nil, isDegraded: false, reason: "there is no group \(name)")
        }
        if let pinned = group.pinned, !standing(of: pinned, for: name).hasFailed {
            return EncoderSelector.Choice(
                candidate: pinned, isDegraded: false, reason: "\(pinned): the operator asked for it")
        }
        return selector(for: name).choose(for: group.wish)
    }

    /// How a group uses an encoder; `nil` when its GPU is gone.
    package func recipe(for candidate: EncoderCandidate, in name: String, effort: EncoderEffort = .normal) -> (
        any EncoderRecipe
    )? {
        catalogue.recipe(
            for: candidate, effort: effort, scalesOnGPU: groups[name].map { scalesOnGPU(candidate, $0.job) } ?? false)
    }

    private func scalesOnGPU(_ candidate: EncoderCandidate, _ job: EncodingJob) -> Bool {
        guard job.scales else { return false }
        if case .passed(let scales)? = verdicts[Trial(candidate, job)] { return scales }
        // As for the encoder itself: it is trusted with another size until its trial says otherwise.
        return verdicts.contains { trial, verdict in
            if case .passed(true) = verdict { trial.candidate == candidate } else { false }
        }
    }

    /// What is known of a candidate for a group.
    package func standing(of candidate: EncoderCandidate, for name: String) -> Standing {
        let initial = catalogue.initialStanding(of: candidate)
        guard initial == .untried, let group = groups[name] else { return initial }
        if let rest = rests[candidate.device] ?? group.rests[candidate] { return .quarantined(rest.reason) }
        switch verdicts[Trial(candidate, group.job)] {
        case .passed: return .usable
        case .failed(let reason, _): return .failed(reason)
        // What did another job well is trusted with this one until its trial says otherwise.
        case nil: return hasPassed(candidate) ? .usable : .untried
        }
    }

    private func hasPassed(_ candidate: EncoderCandidate) -> Bool {
        verdicts.contains { trial, verdict in
            if case .passed = verdict { trial.candidate == candidate } else { false }
        }
    }

    private func selector(for name: String) -> EncoderSelector {
        var selector = EncoderSelector(catalogue: catalogue, order: order)
        guard let group = groups[name] else { return selector }
        selector.current = group.assigned
        for (other, value) in groups where other != name {
            if let slot = value.assigned?.gpu { selector.load[slot, default: 0] += value.job.pixelRate }
        }
        for candidate in selector.candidates(for: group.wish) {
            selector.standings[candidate] = standing(of: candidate, for: name)
        }
        return selector
    }

    /// The groups that should have another encoder than they have.
    private func moves(except failing: String? = nil) -> [Effect] {
        groups.sorted { $0.value.number < $1.value.number }.compactMap { name, group in
            guard name != failing, let assigned = group.assigned else { return nil }
            guard let next = choose(for: name).candidate, next != assigned else { return nil }
            if let slot = assigned.gpu, catalogue.gone.contains(slot) { return .move(group: name, .gone) }
            let standing = standing(of: assigned, for: name)
            if standing.hasFailed {
                return .move(group: name, rests[assigned.device]?.isHung ?? false ? .hanging : .failing)
            }
            guard
                hardware(for: name).contains(assigned)
                    || selector(for: name).candidates(for: group.wish).contains(assigned)
            else {
                return .move(group: name, .changed)
            }
            return isSettled(name, upTo: next) ? .move(group: name, .better) : nil
        }
    }

    /// No trial is due or running of what the group would rather have than this, so that it is not moved twice.
    private func isSettled(_ name: String, upTo candidate: EncoderCandidate) -> Bool {
        guard let group = groups[name] else { return true }
        let ranked = hardware(for: name)
        let before = ranked.prefix { $0 != candidate } + ranked.filter { $0.name == candidate.name }
        return before.allSatisfy { other in
            standing(of: other, for: name) != .untried && !running.contains(Trial(other, group.job))
        }
    }

    // MARK: For people

    /// A GPU as it stands.
    package struct Device: Sendable, Hashable {
        package enum State: String, Sendable, Hashable, CaseIterable {
            case ready, quarantined, gone
        }
        package var gpu: GPU
        package var state: State
        /// Why it is of no use, for people; `nil` where it is, and where no group would have it.
        package var reason: String?
    }

    package var devices: [Device] {
        catalogue.gpus.map { gpu in
            let isAskedFor = groups.values.contains { group in
                EncoderSelector(catalogue: catalogue, order: order).candidates(for: group.wish).contains {
                    $0.gpu == gpu.slot
                }
            }
            let state: Device.State =
                catalogue.gone.contains(gpu.slot)
                ? .gone : rests[gpu.slot] != nil && gpu.accessProblem == nil ? .quarantined : .ready
            guard isAskedFor else { return Device(gpu: gpu, state: state) }
            if state == .gone { return Device(gpu: gpu, state: state, reason: Self.removal) }
            return Device(gpu: gpu, state: state, reason: gpu.accessProblem ?? rests[gpu.slot]?.reason.sentence)
        }
    }

    /// The candidates of every family for the codecs of the groups, and whether one of the groups could use them.
    package var encoders: [(candidate: EncoderCandidate, standing: Standing)] {
        let codecs = VideoCodec.allCases.filter { codec in groups.values.contains { $0.wish.codec == codec } }
        let candidates = EncoderFamily.allCases.flatMap { family in codecs.flatMap { catalogue.candidates(family, $0) }
        }
        return candidates.map { candidate in
            let standings = groups.filter { $0.value.wish.codec == candidate.codec }.keys.sorted().map {
                standing(of: candidate, for: $0)
            }
            return (candidate, standings.first { $0.isUsable } ?? standings.first { $0.hasFailed } ?? .untried)
        }
    }
}
