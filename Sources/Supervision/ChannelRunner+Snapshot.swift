import Configuration
import DataPath
import EncoderSelection
import FFmpeg
import Status
import TransportStream

extension ChannelRunner {
    /// The channel as it is now.
    func snapshot(meter: RateMeter) async -> ChannelSnapshot {
        var snapshot = ChannelSnapshot(name: channel.name, feedBytes: await dataPath.bytes(ofChannel: channel.name) ?? 0)
        for (configured, runner) in zip(channel.sources, sourceRunners) {
            let entry = runner.ledger.now
            snapshot.sources.append(
                SourceSnapshot(
                    id: configured.id, state: entry.sourceState(isListener: configured.isListener),
                    isOnAir: entry.isOnAir, format: entry.format.map { "\($0)" }, starts: entry.starts,
                    trouble: entry.sourceTrouble, history: entry.history.snapshot))
            snapshot.switches[configured.id] = entry.airs
        }
        let slate = slateLedger.now
        snapshot.sources.append(
            SourceSnapshot(
                id: "slate", state: slate.isOnAir ? .live : .waiting, isOnAir: slate.isOnAir, format: slate.format.map { "\($0)" }))
        snapshot.switches["slate"] = slate.airs
        for group in channel.groups { snapshot.groups.append(await self.snapshot(of: group, meter: meter)) }
        return snapshot
    }

    private func snapshot(of group: GroupConfiguration, meter: RateMeter) async -> GroupSnapshot {
        let isWanted = !stopped.groups.contains(group.name)
        var snapshot = GroupSnapshot(name: group.name, state: .starting, isWanted: isWanted, encoder: "copy")
        if let runner = groupRunner(group.name) {
            let entry = runner.ledger.now
            let figures = await dataPath.figures(ofGroup: group.name)
            let (candidate, choice) = await (runner.encoder, runner.choice)
            snapshot.encoder = candidate?.name ?? choice.candidate?.name ?? (group.video == .copy ? "copy" : "none")
            snapshot.gpu = candidate?.gpu
            snapshot.why = entry.isTooSlow ? "the encoder is too slow to keep real time: make the picture smaller or the rate lower" : choice.reason(inUse: candidate)
            snapshot.state = entry.state(isDegraded: candidate == choice.candidate && choice.isDegraded)
            if let figures { snapshot.take(figures, meter) }
            snapshot.droppedFrames = entry.dropped
            snapshot.uptime = entry.liveSince.map { Timestamp.now.seconds - $0.seconds } ?? 0
            snapshot.exits = entry.exits.flatMap { encoder, causes in
                causes.map { EncoderExits(encoder: encoder, cause: $0.key.rawValue, count: $0.value) }
            }.sorted { ($0.encoder, $0.cause) < ($1.encoder, $1.cause) }
            snapshot.handovers = Dictionary(uniqueKeysWithValues: entry.handovers.map { ($0.key.rawValue, $0.value) })
            snapshot.handoverSeconds = HistogramSnapshot(bounds: entry.holes.bounds, counts: entry.holes.counts, sum: entry.holes.sum)
            snapshot.history = entry.history.snapshot
        } else {
            // It has no encoder, so it is what its channel is.
            snapshot.state = hasPicture ? .live : .starting
            snapshot.why = "passes the channel through"
            if let figures = await dataPath.figures(ofChannel: channel.name) { snapshot.take(figures, meter) }
        }
        if !isWanted { snapshot.state = .stopped }
        for target in group.targets {
            guard let runner = targetRunner(target.name) else { continue }
            snapshot.targets.append(await self.snapshot(of: runner, isWanted: isWanted && !stopped.targets.contains(target.name)))
        }
        return snapshot
    }

    private func snapshot(of runner: TargetRunner, isWanted: Bool) async -> TargetSnapshot {
        let entry = runner.ledger.now
        let figures = await runner.figures()
        let state = entry.targetState(isWanted: isWanted)
        return TargetSnapshot(
            name: runner.target.name, state: state, isWanted: isWanted, bytes: figures.bytes, connects: entry.connects, skips: figures.skips,
            uptime: entry.liveSince.map { Timestamp.now.seconds - $0.seconds } ?? 0,
            trouble: state == .live || state == .stopped ? nil : entry.obstacle ?? entry.history.ends.last?.cause?.sentence,
            history: entry.history.snapshot)
    }
}

extension GroupSnapshot {
    /// What is known of the feed that the group's targets read.
    fileprivate mutating func take(_ figures: DataPath.FeedFigures, _ meter: RateMeter) {
        frames = figures.frames
        lostFrames = figures.lostFrames
        feedBytes = figures.bytes
        let rates = meter.rates(
            of: name, .init(frames: figures.frames, bytes: figures.bytes, streamSeconds: Double(figures.end ?? 0) / Double(Ticks.perSecond)),
            at: Timestamp.now.seconds)
        (fps, bitsPerSecond, speed) = (rates.fps, rates.bitsPerSecond, rates.speed)
    }
}

extension EncoderSelector.Choice {
    /// Why the encoder in use is in use.
    fileprivate func reason(inUse: EncoderCandidate?) -> String {
        guard let inUse, let candidate, inUse != candidate else { return reason }
        return "\(inUse): until \(candidate) takes over"
    }
}

extension SourceConfiguration {
    /// Others connect to it.
    fileprivate var isListener: Bool {
        switch kind {
        case .rtmp, .srt, .raw: true
        case .pull, .file, .test, .capture: false
        }
    }
}

extension ProcessLedger.Entry {
    /// What keeps a source from delivering and an operator could mend.
    fileprivate var sourceTrouble: String? {
        if let known = obstacle ?? trouble { return known }
        guard actual != .live, actual != .idle, let cause = history.ends.last?.cause, cause == .busy || cause == .permission else { return nil }
        return cause.sentence
    }

    fileprivate func sourceState(isListener: Bool) -> SourceSnapshot.State {
        if isAbsent { return .absent }
        return switch actual {
        case .live: .live
        case .stalled: .stalled
        case .idle: .waiting
        case .starting: isListener ? .waiting : .connecting
        case .ending: isListener ? .waiting : .connecting
        case .pausing: obstacle != nil ? .failed : isListener ? .waiting : .connecting
        }
    }

    fileprivate func targetState(isWanted: Bool) -> TargetSnapshot.State {
        guard isWanted else { return .stopped }
        let wasRejected = history.ends.last?.cause == .rejected
        return switch actual {
        case .live: .live
        case .stalled: .waiting
        // While it is tried again it stands refused, until it is let in.
        case .idle, .starting, .ending: wasRejected ? .refused : .connecting
        case .pausing: wasRejected || obstacle != nil ? .refused : .waiting
        }
    }
}

extension GroupLedger.Entry {
    fileprivate func state(isDegraded: Bool) -> GroupSnapshot.State {
        switch actual {
        case .live: isDegraded || isTooSlow ? .degraded : .live
        case .idle, .starting: .starting
        case .ending, .pausing: .stalled
        }
    }
}

extension ProcessHistory {
    fileprivate var snapshot: [EndSnapshot] {
        ends.map { end in
            let status = switch end.status {
            case .exited(let code): "exited \(code)"
            case .signalled(let number): "signal \(number)"
            case .notStarted(let reason): "not started: \(reason)"
            }
            return EndSnapshot(
                started: end.started.seconds, ended: end.ended.seconds, status: status, cause: end.cause?.rawValue, lastLines: end.lastLines)
        }
    }
}
