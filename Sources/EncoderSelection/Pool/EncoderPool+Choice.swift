package import FFmpeg

/// The choice of an encoder for each group.
extension EncoderPool {
    /// Returns the encoder for a group at this moment, with the reason.
    package func choose(for name: String) -> EncoderSelector.Choice {
        guard let group = groups[name] else {
            return EncoderSelector.Choice(candidate: nil, isDegraded: false, reason: "there is no group \(name)")
        }
        if let pinned = group.pinned, !standing(of: pinned, for: name).hasFailed {
            return EncoderSelector.Choice(
                candidate: pinned, isDegraded: false, reason: "\(pinned): the operator asked for it")
        }
        return selector(for: name).choose(for: group.encoding)
    }

    /// Returns the FFmpeg options with which a group uses an encoder. `nil` if its GPU is gone.
    package func recipe(for candidate: EncoderCandidate, in name: String, effort: EncoderEffort = .normal) -> (
        any EncoderRecipe
    )? {
        catalogue.recipe(
            for: candidate, effort: effort, scalesOnGPU: groups[name].map { scalesOnGPU(candidate, $0.job) } ?? false)
    }

    func scalesOnGPU(_ candidate: EncoderCandidate, _ job: EncodingJob) -> Bool {
        guard job.scales else { return false }
        if case .passed(let scales)? = results[Trial(candidate, job)] { return scales }
        // A GPU that has scaled frames of another size is assumed to scale these, too, until its trial shows otherwise.
        return results.contains { trial, result in
            if case .passed(true) = result { trial.candidate == candidate } else { false }
        }
    }

    /// The standing of a candidate for a group.
    package func standing(of candidate: EncoderCandidate, for name: String) -> Standing {
        let initial = catalogue.initialStanding(of: candidate)
        guard initial == .untried, let group = groups[name] else { return initial }
        if let rest = rests[candidate.device] ?? group.rests[candidate] { return .quarantined(rest.reason) }
        switch results[Trial(candidate, group.job)] {
        case .passed: return .usable
        case .failed(let reason, _): return .failed(reason)
        // A candidate that passed for another job is assumed to work for this one until its trial shows otherwise.
        case nil: return hasPassed(candidate) ? .usable : .untried
        }
    }

    func hasPassed(_ candidate: EncoderCandidate) -> Bool {
        results.contains { trial, result in
            if case .passed = result { trial.candidate == candidate } else { false }
        }
    }

    func selector(for name: String) -> EncoderSelector {
        var selector = EncoderSelector(catalogue: catalogue, order: order)
        guard let group = groups[name] else { return selector }
        selector.current = group.assigned
        for (other, value) in groups where other != name {
            if let slot = value.assigned?.gpu { selector.load[slot, default: 0] += value.job.pixelRate }
        }
        for candidate in selector.candidates(for: group.encoding) {
            selector.standings[candidate] = standing(of: candidate, for: name)
        }
        return selector
    }

    /// Returns a move for each group that should get another encoder than it has. The group `failing` is left out.
    func moves(except failing: String? = nil) -> [Effect] {
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
                    || selector(for: name).candidates(for: group.encoding).contains(assigned)
            else {
                return .move(group: name, .changed)
            }
            return isSettled(name, upTo: next) ? .move(group: name, .better) : nil
        }
    }

    /// Whether no trial is due or running for a candidate that the group prefers to this one, so that it is not moved
    /// twice.
    func isSettled(_ name: String, upTo candidate: EncoderCandidate) -> Bool {
        guard let group = groups[name] else { return true }
        let ranked = hardware(for: name)
        let before = ranked.prefix { $0 != candidate } + ranked.filter { $0.name == candidate.name }
        return before.allSatisfy { other in
            standing(of: other, for: name) != .untried && !running.contains(Trial(other, group.job))
        }
    }
}
