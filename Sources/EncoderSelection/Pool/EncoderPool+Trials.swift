import FFmpeg

/// The trials: which are due, and what their results change.
extension EncoderPool {
    /// Handles the result of a trial.
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
            // Only other settings or another device change that, and both start without a verdict.
            case .unsupported: break
            default:
                if case .failed(_, let former?) = verdicts[trial] { rest = former }
                if rest == nil {
                    rest = Rest(reason: reason, until: now + RestPolicy.first, step: 0)
                } else {
                    rest?.longer(reason, now: now)
                }
            }
            // A group that does the same job with it is better proof than the trial, which may have found no free
            // session.
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

    /// Starts the trials that have become due.
    package mutating func tick(now: Duration) -> [Effect] { attempts(now) }

    /// When to call ``tick(now:)`` next. `nil` while nothing rests.
    package func nextTick(after now: Duration) -> Duration? {
        var times: [Duration] = []
        for trial in wanted() where !running.contains(trial) {
            if let due = due(trial) { times.append(due) }
        }
        times += rests.filter { !catalogue.gone.contains($0.key) }.map(\.value.until)
        return times.filter { $0 > now }.min()
    }

    /// The trials that are due, in the order in which groups wait for them.
    mutating func attempts(_ now: Duration) -> [Effect] {
        let wanted = wanted()
        // A rest that no trial will end is over after its pause.
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

    /// All trials whose result could help a group: first those of the last good encoders, then by the groups'
    /// preference.
    func wanted() -> [Trial] {
        var trials: [Trial] = []
        let sorted = groups.sorted { $0.value.number < $1.value.number }
        for (name, group) in sorted {
            guard let last = group.lastGood, hardware(for: name).contains(last) else { continue }
            trials.append(Trial(last, group.job))
        }
        // The first choices of all groups come before any second choice.
        let ranked = sorted.map { name, group in hardware(for: name).map { Trial($0, group.job) } }
        for rank in 0..<(ranked.map(\.count).max() ?? 0) {
            trials += ranked.compactMap { rank < $0.count ? $0[rank] : nil }
        }
        var seen: Set<Trial> = []
        return trials.filter { seen.insert($0).inserted }
    }

    /// The hardware candidates that a group prefers to software and that can be tried, best first.
    func hardware(for name: String) -> [EncoderCandidate] {
        guard let group = groups[name] else { return [] }
        return selector(for: name).candidates(for: group.wish).prefix { !$0.isSoftware }.filter {
            catalogue.initialStanding(of: $0) == .untried
        }
    }

    /// When a trial may run. `nil` if its result is known.
    func due(_ trial: Trial) -> Duration? {
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

    /// Forgets the failures that no group's settings refer to. A candidate's passed trials are kept.
    mutating func forgetVerdicts() {
        let jobs = Set(groups.values.map(\.job))
        verdicts = verdicts.filter { trial, verdict in
            if case .passed = verdict { return true }
            return jobs.contains(trial.job)
        }
        // This limits the memory for sources whose frame size changes repeatedly.
        guard verdicts.count > 256 else { return }
        verdicts = verdicts.filter { jobs.contains($0.key.job) }
    }
}
