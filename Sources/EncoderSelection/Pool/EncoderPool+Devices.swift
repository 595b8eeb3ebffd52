package import CapabilityProbe

/// Devices that come and go, their failures, and the rests after failures.
extension EncoderPool {
    /// Sets the devices that are present now.
    package mutating func setDevices(_ gpus: [GPU], v4l2Encoders: [V4L2Encoder], now: Duration) -> [Effect] {
        let before = catalogue
        let inUse = Set(groups.values.compactMap { $0.assigned?.gpu })
        catalogue.v4l2Encoders = v4l2Encoders
        catalogue.update(gpus)
        for gpu in gpus {
            let known = before.gpus.first { $0.slot == gpu.slot }
            guard known != gpu || before.gone.contains(gpu.slot) else { continue }
            // The GPU is new or came back, perhaps with another driver or permission, so earlier results no longer
            // count.
            results = results.filter { $0.key.candidate.gpu != gpu.slot }
            outdate(gpu.slot)
            if !isNotorious(.device(gpu.slot), now) { rests[gpu.slot]?.until = now }
        }
        // A removal counts as a failure, so that a GPU that comes and goes does not get a stream each time.
        for slot in catalogue.gone.subtracting(before.gone).intersection(inUse) {
            rest(slot, FailureReason(Self.removal), now)
        }
        return moves() + startTrials(now)
    }

    /// Handles the kernel's report that a GPU cannot recover.
    package mutating func recordWedge(of slot: String, recovery: String, now: Duration) -> [Effect] {
        let reason: FailureReason =
            """
            the kernel could not recover it (wedged; it asks for: \(recovery)); restart the box if it does not come \
            back
            """
        rest(slot, reason, now)
        rests[slot]?.reason = reason
        return moves() + startTrials(now)
    }

    /// Handles the failure of an encoder in use.
    ///
    /// - Parameter explanation: A sentence for display, if there is a better one than the fault's own.
    package mutating func recordFailure(
        of candidate: EncoderCandidate, _ fault: EncoderFault, _ explanation: FailureReason? = nil, in name: String,
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
            results[Trial(candidate, group.job)] = .failed(reason, rest: nil)
        }
        return moves(except: name) + startTrials(now)
    }

    static let removal = "it was unplugged, or its driver released it"

    /// Lets a device rest. Each group that uses the device reports the failure, but the failure counts once until the
    /// device has passed a trial.
    mutating func rest(_ device: String, _ reason: FailureReason, _ now: Duration) {
        outdate(device)
        guard rests[device] == nil else { return }
        rests[device] = Rest(
            reason: reason, until: now + pause(.device(device), now), step: (failures[.device(device)]?.count ?? 1) - 1)
    }

    mutating func rest(
        _ candidate: EncoderCandidate, in name: String, _ reason: FailureReason, _ now: Duration
    ) {
        let culprit = Culprit.use(group: name, candidate)
        let pause = pause(culprit, now)
        groups[name]?.rests[candidate] = Rest(
            reason: reason, until: now + pause, step: (failures[culprit]?.count ?? 1) - 1)
    }

    mutating func outdate(_ device: String) {
        outdated.formUnion(running.filter { $0.candidate.device == device })
    }

    /// Counts a failure, and returns how long to wait after it.
    mutating func pause(_ culprit: Culprit, _ now: Duration) -> Duration {
        var recent = (failures[culprit] ?? []).filter { now - $0 < RestPolicy.memory }
        recent.append(now)
        failures[culprit] = recent.suffix(16)
        return recent.count >= RestPolicy.most ? RestPolicy.cap : RestPolicy.pause(recent.count - 1)
    }

    func isNotorious(_ culprit: Culprit, _ now: Duration) -> Bool {
        (failures[culprit] ?? []).filter { now - $0 < RestPolicy.memory }.count >= RestPolicy.most
    }
}
