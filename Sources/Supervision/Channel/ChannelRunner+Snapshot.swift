import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import MPEGTS
import Status

extension ChannelRunner {
    /// Makes a snapshot of the channel.
    func snapshot(meter: RateMeter) async -> ChannelSnapshot {
        let feed = await dataPath.figures(ofChannel: channel.name)
        var snapshot = ChannelSnapshot(
            name: channel.name, feedBytes: context.registry.formerBytes(of: channel.name) + (feed?.bytes ?? 0))
        for (configured, runner) in zip(channel.sources, sourceRunners) {
            let entry = runner.statistics.now
            let trouble = entry.sourceTrouble(
                isListener: configured.isListener, isFetched: configured.isFetched, now: context.clock.now)
            snapshot.sources.append(
                SourceSnapshot(
                    id: configured.id, state: entry.sourceState(isListener: configured.isListener),
                    isOnAir: entry.isOnAir, format: entry.format.map { "\($0)" }, starts: entry.starts,
                    trouble: trouble, history: entry.history.snapshot, refusals: runner.refusals,
                    encoder: entry.encoder?.description, droppedPackets: configured.isSRT ? entry.droppedPackets : nil,
                    notes: entry.sourceNotes))
            snapshot.switches[configured.id] = entry.airs
        }
        let slate = slateStatistics.now
        snapshot.sources.append(
            SourceSnapshot(
                id: "slate", state: slate.isOnAir ? .live : .waiting, isOnAir: slate.isOnAir,
                format: slate.format.map { "\($0)" }, refused: slate.refused))
        snapshot.switches["slate"] = slate.airs
        let isOnAir = snapshot.sources.contains { $0.isOnAir }
        if isOnAir != air.isOn { air = (isOnAir, context.clock.now) }
        for group in channel.groups { snapshot.groups.append(await self.snapshot(of: group, meter: meter)) }
        return snapshot
    }

    /// Whether nothing has been on air for longer than the slate needs to go on air.
    private var isDark: Bool { !air.isOn && context.clock.now - air.since > channel.slate.after + .seconds(1) }

    private func snapshot(of group: GroupConfiguration, meter: RateMeter) async -> GroupSnapshot {
        let isWanted = !stopped.groups.contains(group.name)
        var snapshot = GroupSnapshot(name: group.name, state: .starting, isWanted: isWanted, encoder: "copy")
        let figures = await figures(of: group)
        let entry = context.registry.group(group.name, in: channel.name).now
        snapshot.take(entry)
        snapshot.take(figures, after: entry.former, meter)
        if group.passesThrough {
            // It has no encoder, so its state is the channel's.
            snapshot.state = hasVideo ? .live : .starting
            snapshot.why = "passes the channel through"
            snapshot.uptime = air.isOn ? (context.clock.now - air.since).seconds : 0
        } else if let runner = groupRunner(group.name) {
            let (candidate, choice) = await (runner.encoder, runner.choice)
            snapshot.encoder = candidate?.name ?? choice.candidate?.name ?? (group.video == .copy ? "copy" : "none")
            snapshot.gpu = candidate?.gpu
            snapshot.loweredPreset = entry.loweredPreset
            snapshot.why = entry.slowness ?? choice.reason(inUse: candidate) + (entry.presetNote ?? "")
            if !entry.isTooSlow, choice.isAbout(inUse: candidate), choice.hasRefusal { snapshot.ffmpegRefuses = true }
            snapshot.state = entry.state(isDegraded: candidate == choice.candidate && choice.isDegraded)
            snapshot.uptime = entry.liveSince.map { (context.clock.now - $0).seconds } ?? 0
        }
        // An encoder without input is healthy, and viewers see nothing.
        if isDark, snapshot.state == .live || snapshot.state == .degraded { snapshot.state = .stalled }
        if !isWanted { snapshot.state = .stopped }
        let runners = group.targets.compactMap { targetRunner($0.name) }
        // All at once: each question takes two changes of thread.
        let taken = await dataPath.figures(of: runners.compactMap(\.statistics.now.attachment))
        for runner in runners {
            snapshot.targets.append(
                await self.snapshot(
                    of: runner, isWanted: isWanted && !stopped.targets.contains(runner.target.name), taken))
        }
        return snapshot
    }

    private func snapshot(
        of runner: TargetRunner, isWanted: Bool, _ taken: [DataPath.Attachment: DataPath.FeedSenderFigures]
    ) async -> TargetSnapshot {
        let entry = runner.statistics.now
        let figures = await runner.statistics.figures(from: dataPath, taken: taken)
        let state = entry.targetState(isWanted: isWanted)
        return TargetSnapshot(
            name: runner.target.name, state: state, isWanted: isWanted, bytes: figures.bytes, connects: entry.connects,
            skips: figures.skips,
            skippedSeconds: Double(figures.skippedTicks) / Double(Ticks.perSecond),
            share: state == .stopped ? nil : entry.share,
            uptime: entry.liveSince.map { (context.clock.now - $0).seconds } ?? 0,
            trouble: state == .stopped
                ? nil : entry.targetTrouble(now: context.clock.now, isRecording: runner.target.destination.isRecording),
            history: entry.history.snapshot)
    }
}

extension GroupSnapshot {
    /// Copies the statistics of all encoders that the group has had.
    fileprivate mutating func take(_ entry: GroupStatistics.Entry) {
        droppedFrames = entry.dropped
        for (encoder, causes) in entry.exits {
            let counts = Dictionary(causes.map { ($0.key.label, $0.value) }, uniquingKeysWith: +)
            exits += counts.map { EncoderExits(encoder: encoder, cause: $0.key, count: $0.value) }
        }
        exits.sort { ($0.encoder, $0.cause) < ($1.encoder, $1.cause) }
        handovers = Dictionary(entry.handovers.map { ($0.key.label, $0.value) }, uniquingKeysWith: +)
        handoverSeconds = HistogramSnapshot(
            bounds: entry.gaps.bounds, counts: entry.gaps.counts, sum: entry.gaps.sum)
        history = entry.history.snapshot
    }

    /// Copies the counters of the feed that the group's targets read.
    ///
    /// - Parameter former: The counts from before the feed belonged to the group.
    fileprivate mutating func take(
        _ figures: DataPath.FeedFigures?, after former: DataPath.FeedFigures, _ meter: RateMeter
    ) {
        let now = figures ?? DataPath.FeedFigures()
        frames = max(0, former.frames + now.frames)
        lostFrames = max(0, former.lostFrames + now.lostFrames)
        encoderSkips = max(0, former.skips + now.skips)
        feedBytes = max(0, former.bytes + now.bytes)
        guard figures != nil else { return }
        let rates = meter.rates(
            of: name,
            .init(
                frames: frames, bytes: former.mediaBytes + now.mediaBytes,
                streamSeconds: now.end.map { Double($0) / Double(Ticks.perSecond) }))
        (fps, bitsPerSecond, speed) = (rates.fps, rates.bitsPerSecond, rates.speed)
    }
}

extension EncoderSelector.Choice {
    /// Says why the encoder in use is used.
    fileprivate func reason(inUse: EncoderCandidate?) -> String {
        guard let inUse, let candidate, !isAbout(inUse: inUse) else { return reason }
        return "\(inUse): until \(candidate) takes over"
    }

    /// Whether the reason of the choice is about the encoder in use, or no encoder is in use.
    fileprivate func isAbout(inUse: EncoderCandidate?) -> Bool {
        guard let inUse, let candidate else { return true }
        return inUse == candidate
    }
}

extension SourceConfiguration {
    /// Whether the source uses SRT, as a listener or as a pull.
    fileprivate var isSRT: Bool {
        switch kind {
        case .srt: true
        case .pull(let pull): pull.url.lowercased().hasPrefix("srt://")
        case .rtmp, .capture, .raw, .file, .test: false
        }
    }

    /// Whether the service fetches the source.
    fileprivate var isFetched: Bool {
        switch kind {
        case .pull, .file: true
        case .rtmp, .srt, .raw, .test, .capture: false
        }
    }

    /// Whether a sender connects to the source.
    fileprivate var isListener: Bool {
        switch kind {
        case .rtmp, .srt, .raw: true
        case .pull, .file, .test, .capture: false
        }
    }
}

extension ProcessStatistics.Entry {
    /// Returns an obstacle that an operator can fix, and that keeps a source from delivering or from staying connected.
    ///
    /// - Parameters:
    ///   - isListener: Whether a sender connects to the source.
    ///   - isFetched: Whether the service fetches the source, which is expected to last.
    func sourceTrouble(isListener: Bool, isFetched: Bool = false, now: ContinuousClock.Instant = .now) -> String? {
        if let known = absence ?? obstacle ?? trouble { return known }
        guard actual != .idle, let end = history.ends.last, let cause = end.cause else { return nil }
        if actual == .live {
            guard isFetched, failures > 1, !isSteady(now), let sentence = end.sentence else { return nil }
            return "it does not last, and ended \(failures) times in a row: \(sentence)"
        }
        // Senders to a listener come and go; a source that the service fetches is expected to be there.
        guard cause == .busy || cause == .permission || cause == .addressInUse || (!isListener && failures > 1) else {
            return nil
        }
        return end.sentence
    }

    /// The notes on a source, in their order. `nil` if there is none.
    fileprivate var sourceNotes: [String]? {
        let texts = SourceNote.allCases.compactMap { notes[$0] }
        return texts.isEmpty ? nil : texts
    }

    func sourceState(isListener: Bool) -> SourceSnapshot.State {
        if absence != nil { return .absent }
        let isFree = isListener && !hasSender
        return switch actual {
        case .live: isSilent ? .stalled : .live
        case .stalled: .stalled
        case .idle: obstacle != nil ? .failed : .waiting
        case .starting: isFree ? .waiting : .connecting
        case .ending: isFree ? .waiting : .connecting
        case .pausing: obstacle != nil ? .failed : isFree ? .waiting : .connecting
        }
    }

    /// Returns the reason for which a target that was tried is not connected, or does not stay connected.
    ///
    /// - Parameter isRecording: Whether the target writes to a disk, and not to the network.
    func targetTrouble(now: ContinuousClock.Instant, isRecording: Bool = false) -> String? {
        if let obstacle { return obstacle }
        let end = history.ends.last
        // These causes are certain after one failure.
        let hasFailed = failures > 1 || failures > 0 && (end?.cause == .rejected || end?.cause == .stuck)
        let blocked =
            isRecording
            ? "the disk that it writes to does not answer, or is too slow; check the disk"
            : "the network to it is too slow, or its server hangs; check this box's uplink"
        let sentence = end?.cause == .stuck ? "it stopped accepting data: \(blocked)" : end?.sentence
        switch actual {
        case .stalled:
            return isRecording ? "it accepts no data: \(blocked)" : "it is connected and accepts no data: \(blocked)"
        case .live:
            guard hasFailed, !isSteady(now), let sentence else { return nil }
            return "it does not last, and ended \(failures) times in a row: \(sentence)"
        case .starting:
            if hasFailed, let sentence { return sentence }
            guard let startedAt, now - startedAt > Self.longStart else { return nil }
            if isRecording { return "it has not begun: \(blocked)" }
            return
                """
                it has been connecting for \((now - startedAt).components.seconds) seconds; check its address, and \
                whether a name server and the peer answer
                """
        case .idle, .ending, .pausing:
            return hasFailed ? sentence : nil
        }
    }

    /// How long a target may be connecting before that is a problem.
    private static let longStart = Duration.seconds(10)

    func targetState(isWanted: Bool) -> TargetSnapshot.State {
        guard isWanted else { return .stopped }
        let wasRejected = history.ends.last?.cause == .rejected && obstacle == nil
        return switch actual {
        case .live: share == nil ? .live : .degraded
        case .stalled: .waiting
        // A retry after a refusal is shown as refused until the server accepts it.
        case .idle, .starting, .ending: wasRejected && failures > 0 ? .refused : .connecting
        case .pausing: wasRejected ? .refused : .waiting
        }
    }
}

extension GroupStatistics.Entry {
    /// Says that the encoder is too slow. `nil` if it keeps real time.
    fileprivate var slowness: String? {
        isTooSlow ? "the encoder is too slow to keep real time: choose a smaller size or a lower frame rate" : nil
    }

    /// Says that the preset was lowered. `nil` if it is the usual one.
    fileprivate var presetNote: String? {
        loweredPreset.map { "; its preset is \($0) until the processor has room for a better one" }
    }

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
            let status =
                switch end.status {
                case .exited(let code): "exited \(code)"
                case .signalled(let number): "signal \(number)"
                case .abandoned: "cannot be ended"
                case .notStarted(let reason): "not started: \(reason)"
                }
            return EndSnapshot(
                started: end.started.seconds, ended: end.ended.seconds, status: status, cause: end.cause?.rawValue,
                lastLines: end.lastLines,
                refused: end.refused)
        }
    }
}
