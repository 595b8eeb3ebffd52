import FFmpeg

/// Decides which trials are due, and what their results change.
extension EncoderPool {
    /// Handles the result of a trial.
    package mutating func trialFinished(_ trial: Trial, _ result: TrialResult, now: Duration) -> [Effect] {
        running.remove(trial)
        guard outdated.remove(trial) == nil else { return moves() + startTrials(now) }
        let candidate = trial.candidate
        switch result {
        case .passed(let scalesOnGPU):
            results[trial] = .passed(scalesOnGPU: scalesOnGPU)
            rests[candidate.device] = nil
            for name in groups.keys where groups[name]?.job == trial.job { groups[name]?.rests[candidate] = nil }
        case .failed(let cause, let reason):
            var rest: Rest?
            switch cause {
            // Only other settings or another device could change this result, and for both no result is known.
            case .unsupported: break
            default:
                if case .failed(_, let former?) = results[trial] { rest = former }
                if rest == nil {
                    rest = Rest(reason: reason, until: now + RestPolicy.first, step: 0)
                } else {
                    rest?.longer(reason, now: now)
                }
            }
            // If a group does the same job with this encoder, the encoder works: the trial may have failed because no
            // session was free.
            let isProven = groups.values.contains {
                $0.job == trial.job && $0.assigned == candidate && $0.rests[candidate] == nil
            }
            if case .passed = results[trial], isProven {} else { results[trial] = .failed(reason, rest: rest) }
            rests[candidate.device]?.longer(reason, now: now)
            for name in groups.keys where groups[name]?.job == trial.job {
                groups[name]?.rests[candidate]?.longer(reason, now: now)
            }
        }
        return moves() + startTrials(now)
    }

    /// Handles the end of a rest: starts the trials that have become due.
    package mutating func tick(now: Duration) -> [Effect] { startTrials(now) }

    /// Returns when to call ``tick(now:)`` next. `nil` while nothing rests.
    package func nextTick(after now: Duration) -> Duration? {
        var times: [Duration] = []
        for trial in wanted() where !running.contains(trial) {
            if let due = due(trial) { times.append(due) }
        }
        times += rests.filter { !catalogue.gone.contains($0.key) }.map(\.value.until)
        return times.filter { $0 > now }.min()
    }

    /// Marks the trials that are due as running, and returns them in the order in which groups wait for them.
    mutating func startTrials(_ now: Duration) -> [Effect] {
        let wanted = wanted()
        // If no trial will end a rest, the rest is over after its pause.
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
            effects.append(.runTrial(trial))
        }
        return effects
    }

    /// Returns all trials whose result could help a group: first those of the encoders that groups used last, then the
    /// others by the preference of the groups.
    func wanted() -> [Trial] {
        var trials: [Trial] = []
        let sorted = groups.sorted { $0.value.number < $1.value.number }
        for (name, group) in sorted {
            guard let last = group.lastUsed, hardware(for: name).contains(last) else { continue }
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

    /// Returns the hardware candidates that a group prefers to software and that can be tried, best first.
    func hardware(for name: String) -> [EncoderCandidate] {
        guard let group = groups[name] else { return [] }
        return selector(for: name).candidates(for: group.encoding).prefix { !$0.isSoftware }.filter {
            catalogue.initialStanding(of: $0) == .untried
        }
    }

    /// Returns when a trial may run. `nil` if its result is known.
    func due(_ trial: Trial) -> Duration? {
        let resting = groups.values.compactMap { $0.job == trial.job ? $0.rests[trial.candidate] : nil }
        if let rest = rests[trial.candidate.device] {
            if case .failed(_, nil) = results[trial] { return nil }
            return rest.until
        }
        if let soonest = resting.map(\.until).min() { return soonest }
        switch results[trial] {
        case nil: return .zero
        case .passed: return nil
        case .failed(_, let rest): return rest?.until
        }
    }

    /// Forgets the failures that no group's settings refer to. A candidate's passed trials are kept.
    mutating func forgetResults() {
        let jobs = Set(groups.values.map(\.job))
        results = results.filter { trial, result in
            if case .passed = result { return true }
            return jobs.contains(trial.job)
        }
        // This limits the memory for sources whose frame size changes repeatedly.
        guard results.count > 256 else { return }
        results = results.filter { jobs.contains($0.key.job) }
    }
}
