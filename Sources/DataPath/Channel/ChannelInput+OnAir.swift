import EventLoop
import MPEGTS

// Which source's units enter the feed.
extension ChannelInput {
    /// Takes a unit of any source, and passes it to the feed if its source is on air or goes on air with it.
    func take(
        _ unit: AccessUnit, of source: ChannelSource, from parser: borrowing some UnitSource & ~Copyable,
        program: Program, now: Int64
    ) {
        if unit.kind == .audio, !takesAudio(unit, of: source) { return }
        if unit.kind == .video { noteFrame(unit, of: source, from: parser, now: now) }
        if let change, change.from === source {
            pass(unit, of: source, from: parser, program: program, now: now)
            guard unit.kind == .video else { return }
            lastAired = now
            if splicer.outstanding == 0 { finish(change, isThere: true) }
            return
        }
        if let change, change.to === source { finish(change, isThere: true) }
        if choice.onAir != source.priority || player != nil {
            guard unit.kind == .video, unit.isKeyframe, putOnAir(source, now: now) else { return }
        }
        if unit.kind == .video {
            if lastAired == nil { loop.arm(for: now + choice.patience) }
            lastAired = now
        }
        pass(unit, of: source, from: parser, program: program, now: now)
    }

    /// Notes that a source delivers, and reports its format where that has changed.
    private func noteFrame(
        _ unit: AccessUnit, of source: ChannelSource, from parser: borrowing some UnitSource & ~Copyable, now: Int64
    ) {
        choice.delivered(source.priority, now: now)
        source.frameCount += 1
        let isFirst = source.reportedFormat == nil && source.frameCount == 1
        // The rate of a card and of raw frames is known: fewer frames come where the machine is too slow for them.
        let hasOtherRate = source.frames == nil && source.meter.note(unit.dts)
        // Parameter sets come with keyframes; other units change nothing.
        let mayDiffer = unit.isKeyframe || hasOtherRate || isFirst
        if mayDiffer { source.videoFormat = parser.videoFormat?.paced(by: source.meter.rate) }
        if source.isStalled || source.frameCount == 1 { delivers(source, now: now) }
        if mayDiffer, source.beginsFormat || source.videoFormat != source.reportedFormat {
            source.reportedFormat = source.videoFormat
            source.beginsFormat = false
            if !isFirst { source.report(.changed(source.videoFormat)) }
        }
    }

    /// Reports that a source delivers, for the first time or again.
    func delivers(_ source: ChannelSource, now: Int64) {
        source.isStalled = false
        source.report(.delivering(source.videoFormat))
        loop.arm(for: now + min(choice.patience, source.patience?.next ?? .max))
    }

    /// Puts a source on air that is not on air and has a keyframe, if it may replace the present one.
    ///
    /// - Returns: Whether the source is on air now. Where it has to wait for the last frames of another one, it is not.
    private func putOnAir(_ source: ChannelSource, now: Int64) -> Bool {
        let previous = choice.onAir
        let former = change?.from ?? sources.first { $0.priority == previous }
        guard choice.keyframe(from: source.priority, slateIsOnAir: player != nil, now: now) else { return false }
        // This source has a higher priority than the one that waits.
        if let change { resume(change.to) }
        change = nil
        if player != nil {
            player = nil
            reportSlate(.offAir)
        } else if splicer.outstanding > 0, let former, former !== source, !former.isStalled {
            change = Change(from: former, to: source, deadline: now + changePatience)
            source.keep()
            loop.arm(for: now + changePatience)
            return false
        }
        if former !== source { former?.goOffAir() }
        begin(source, source.videoFormat)
        return true
    }

    /// Puts a unit of a source on air into the feed.
    private func pass(
        _ unit: AccessUnit, of source: ChannelSource, from parser: borrowing some UnitSource & ~Copyable,
        program: Program, now: Int64
    ) {
        var program = program
        let first = unit.kind == .audio ? unit.audioFormat : parser.audioFormat
        if audio.decide(by: first, now: now) {
            announceAudioFormat()
            if unit.kind == .audio, !takesAudio(unit, of: source) { return }
        }
        source.writer.audioFormat = audio.kept
        // Silence begins at once, without waiting for the audio.
        if source.otherAudioFormat.isRefused { program.audio = nil }
        let outcome = splicer.accept(
            unit, of: &source.writer, from: parser, program: program, now: Ticks.fromNanoseconds(now))
        if unit.kind == .audio { watchAudio(of: source, isTaken: outcome != .dropped) }
    }

    private func begin(_ source: ChannelSource, _ format: VideoFormat?) {
        source.writer = Splicer.Writer(.following)
        audio.begins()
        source.forgetLateAudio()
        source.report(.onAir(format))
    }

    /// Puts the source on air that waited for the last frames of another one.
    ///
    /// - Parameter isThere: The other one has not ended.
    func finish(_ change: Change, isThere: Bool) {
        self.change = nil
        if isThere { change.from.goOffAir() }
        begin(change.to, change.to.videoFormat)
        resume(change.to)
    }

    /// Releases the kept input of a source. The loop does it a moment later, because a unit of another source is being
    /// processed.
    private func resume(_ source: ChannelSource) {
        loop.at(EventLoop.now()) { [weak source] in source?.release() }
    }
}
