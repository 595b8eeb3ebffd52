import EncoderSelection
import FFmpeg
import Logging
import SystemSupport

/// Lowers the preset of an encoder that is too slow, and raises it again when the processors have room.
extension GroupEncoding {
    /// Reacts to a software encoder that is too slow.
    ///
    /// - Returns: Whether an encoder with a faster preset replaces it. False if there is no faster preset.
    func usesFasterPreset(in session: isolated Session) -> Bool {
        let isRelapse = preset.effort.isTrying
        guard preset.handle(.slow, now: session.now) == .replace else {
            // The status says what to do about it, and its problems are logged.
            session.logger.warning("the encoder is too slow for real time, and there is no faster one")
            statistics.isTooSlow(true)
            return false
        }
        let metadata: Logger.Metadata = ["preset": "\(preset.name)", "again": "\(preset.effort.pause)"]
        if isRelapse {
            session.logger.warning("no room for a better preset beside the encoder in use", metadata: metadata)
        } else {
            session.logger.warning(
                "the encoder is too slow for real time, a faster preset takes over", metadata: metadata)
        }
        return true
    }

    /// Reacts to a successor that ended before it took over.
    func notePresetFailure(in session: isolated Session) {
        guard preset.effort.isTrying else { return }
        preset.handle(.failed, now: session.now)
        let metadata: Logger.Metadata = ["again": "\(preset.effort.pause)"]
        session.logger.warning("the encoder with the better preset did not take over", metadata: metadata)
    }

    /// Records the preset of the generation that has the output now.
    func notePreset(of generation: GroupMachine.Generation, in session: isolated Session) {
        let used = session.generations[generation]?.effort
        if preset.effort.isTrying, used == preset.effort.effort {
            preset.handle(.tookOver, now: session.now)
            session.logger.notice("a better preset is in use", metadata: ["preset": "\(preset.name)"])
        }
        statistics.hasLoweredPreset(used.flatMap { $0 == .normal ? nil : preset.name(of: $0) })
    }

    /// Plans the next measurement of the processors, as long as a better preset is wanted.
    func lookForRoom(in session: isolated Session, _ tasks: inout DiscardingTaskGroup) {
        guard preset.effort.isLowered || preset.effort.isTrying, !preset.isLookingForRoom else { return }
        preset.isLookingForRoom = true
        let child = session.generations[session.machine.current]?.child
        let (clock, pause, times) = (context.clock, preset.pauses.measurementInterval, context.testHooks.processorTimes)
        tasks.addTask { [session] in
            guard await (try? clock.sleep(for: pause)) != nil else { return }
            let sample = await BlockingIO.run { child?.pid.flatMap { ProcessorRoom.sample(of: $0, processors: times) } }
            session.send(.room(sample))
        }
    }

    /// Hands over to a better preset if there is room for it.
    func noteRoom(
        _ sample: ProcessorRoom.Sample?, in session: isolated Session, _ tasks: inout DiscardingTaskGroup
    ) {
        preset.isLookingForRoom = false
        let hasRoom = (preset.hasRoom(sample) ?? true) && !statistics.now.isTooSlow
        decide(hasRoom: hasRoom, in: session, &tasks)
        lookForRoom(in: session, &tasks)
    }

    private func decide(hasRoom: Bool, in session: isolated Session, _ tasks: inout DiscardingTaskGroup) {
        guard session.machine.actual == .live, session.machine.successor == nil else { return }
        guard session.encoder?.isSoftware == true else {
            preset.handle(.unused, now: session.now)
            return
        }
        guard preset.handle(.measured(hasRoom: hasRoom), now: session.now) == .handOver else { return }
        session.logger.notice("a better preset takes over", metadata: ["preset": "\(preset.name)"])
        session.handle(.handOver(.room), in: &tasks)
    }
}
