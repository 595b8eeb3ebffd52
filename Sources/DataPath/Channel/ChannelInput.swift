import EventLoop
package import MPEGTS
import MediaTypes

/// What a source's inlet reports.
package enum SourceEvent: Sendable, Hashable {
    /// The first program is known, or another one.
    case program(Program)
    /// Pictures come; also after a ``stalled``.
    case delivering(VideoFormat?)
    /// It goes on with another size or with other parameter sets, or its frame rate was measured and is another one
    /// than was reported.
    case changed(VideoFormat?)
    /// It took the air.
    case onAir(VideoFormat?)
    /// Another source took the air.
    case offAir
    /// No picture came for as long as it may take.
    case stalled
    /// It runs ahead of real time and is held back, or is so no longer.
    case ahead(Bool)
    /// Its audio is such that a feed does not carry it, or is other such audio than before; `nil` once it is carried
    /// again. Silence stands in until what converts it is attached.
    case foreignAudio(ForeignAudio?)
    /// Its sound is in another format than the channel's, which a group copies, and silence stands in: it has to be
    /// converted.
    case otherSound(AACFormat, channel: AACFormat)
    /// It is on air, and for seconds its sound has been too far from its picture to go into the feed: so far behind it,
    /// or ahead of it where negative, to a tenth of a second. Silence stands in. `nil` once sound is taken again, or
    /// there is no such source or sound any more.
    case lateSound(Duration?)
    /// Frames came, and their pictures will not.
    case lost(Int)
    /// What came was no frames.
    case unreadable(String)
    /// Its relay closed its end, or its publisher has gone.
    case ended
}

/// What a channel reports of its slate.
package enum SlateEvent: Sendable, Hashable {
    case onAir(VideoFormat)
    /// A source took the air.
    case offAir
}

/// Splices the sources of a channel into its feed.
final class ChannelInput: UnitReaderDelegate, FrameStreamOwner {
    let hub: FeedHub
    private let loop: EventLoop
    private var splicer: Splicer
    private var choice: OnAirChoice
    private var sources: [Source] = []
    /// Nanoseconds that a source may be ahead of real time.
    private let mostAhead: Int64
    /// How far each source is ahead of it, by priority, and how far those were that have ended.
    private var paces: [OnAirChoice.Priority: SourcePace] = [:]
    /// What is shown when no source delivers.
    private var slate: SlateClip?
    private var player: SlatePlayer?
    private var reportSlate: @Sendable (SlateEvent) -> Void = { _ in }
    /// When a picture of a source last went into the feed, in nanoseconds of the monotonic clock.
    private var lastAired: Int64?
    /// When the slate may come as long as nothing has been on air.
    private let slateFrom: Int64
    /// A source is about to take the air from another, which has pictures to give first.
    private var change: Change?
    private var sound: ChannelSound

    /// The keyframe of one source waits for B-frames of another: the feed has the picture that those lean on, and is to
    /// have them too.
    private struct Change {
        let from: Source
        let to: Source
        /// In nanoseconds of the monotonic clock.
        let deadline: Int64
    }

    /// Nanoseconds that a source may take to give its last B-frames.
    private let changePatience: Int64

    final class Source {
        /// `nil` where the service has the frames themselves.
        let unitReader: (any UnitReader)?
        /// Frames, and the encoders that make pictures of them.
        let frames: FrameStream?
        let priority: Int
        let patience: PicturePatience?
        let report: @Sendable (SourceEvent) -> Void
        let added = EventLoop.now()
        var writer = Splicer.Writer(.following)
        var lastPicture: Int64?
        var isStalled = false
        var pictures = 0
        var meter = FrameRateMeter()
        /// What it says of its picture, with the frame rate that was measured.
        var videoFormat: VideoFormat?
        /// The last one that was reported.
        var reportedFormat: VideoFormat?
        /// The next keyframe has other parameter sets, whatever they say.
        var beginsFormat = false
        /// It sends what a feed does not carry; its relay is going to be replaced by one that encodes.
        var isForeign = false
        /// What its inlet said last of what it gives.
        fileprivate var program: Program?
        /// What makes AAC of its sound: none, one, or one that is late and another that was started beside it.
        fileprivate private(set) var converters: [SoundConverter] = []
        /// Where the next one continues.
        fileprivate var resume = SoundResume()
        var otherSound = OtherSound()
        /// While it is on air.
        fileprivate var lateSound = LateSound()
        /// Its inlet looks itself whether the sound is in the channel's format.
        fileprivate(set) var convertsSound = false

        /// - Parameter patience: `nil` for the channel's, and for a first picture that may take its time.
        init(
            unitReader: (any UnitReader)? = nil, frames: FrameStream? = nil, priority: Int, patience: PicturePatience?,
            report: @escaping @Sendable (SourceEvent) -> Void
        ) {
            self.unitReader = unitReader
            self.frames = frames
            self.priority = priority
            self.patience = patience
            self.report = report
        }

        fileprivate func close() {
            unitReader?.close()
            frames?.close()
            for converter in converters { converter.close() }
        }

        /// Its sound is taken, or what comes from now on is judged anew.
        fileprivate func forgetLateSound() {
            if lateSound.isOver() { report(.lateSound(nil)) }
        }

        /// Another source takes the air.
        fileprivate func leaveAir() {
            forgetLateSound()
            report(.offAir)
        }

        /// Has its sound converted, from where the last frame that was taken ended.
        fileprivate func add(_ converter: SoundConverter) {
            converters.append(converter)
            unitReader?.addConverter(converter)
        }

        /// What converts its sound has ended, or is not used any more.
        fileprivate func remove(_ converter: SoundConverter) {
            guard let index = converters.firstIndex(where: { $0 === converter }) else { return }
            converters.remove(at: index)
            unitReader?.removeConverter(converter)
            resume.ended(first: converter.first)
        }

        /// Other audio comes, or such as a feed carries: what converted it has no effect any more.
        fileprivate func forgetConverters() {
            for converter in converters { unitReader?.removeConverter(converter) }
            converters = []
            resume = SoundResume()
        }

        /// A frame of this converter has continued the sound: of two, one is not used any more.
        fileprivate func prefer(_ converter: SoundConverter) {
            guard converters.count > 1, let newest = converters.last else { return }
            let isNewest = converter === newest
            // Where the late one is about to be late again, the other one is needed.
            guard isNewest || converter.keepsUp else { return }
            for other in converters where other !== converter {
                remove(other)
                other.leave(isNewest ? .replaced : .unneeded)
            }
        }

        /// What it gives, with the sound that comes of a converter: that comes a moment later, and no silence is to
        /// stand in for it. Where the converter has ended, the next one gives that sound, and a splicer knows how long
        /// to wait for it.
        fileprivate func converted(_ program: Program) -> Program {
            guard program.audio == nil, !converters.isEmpty || resume.end != nil else { return program }
            return Program(video: program.video, audio: .init(pid: 0, type: .aac))
        }

        /// Lets the unit wait that is being taken, and what is behind it: it comes once more after ``release()``.
        fileprivate func keep() {
            unitReader?.keep()
            frames?.keep()
            for converter in converters { converter.hold() }
        }

        fileprivate func release() {
            unitReader?.release()
            frames?.release()
            for converter in converters { converter.release() }
        }

        /// The channel's sound has this format; `nil` where any is taken.
        fileprivate func keepSound(in format: AACFormat?) {
            otherSound.isOver()
            convertsSound = unitReader?.convertsSound(to: format) ?? false
        }

        /// When it counts as stalled unless a picture comes; `nil` while it may take its time.
        func stalls(channelPatience: Int64) -> Int64? {
            lastPicture.map { $0 + (patience?.next ?? channelPatience) } ?? patience.map { added + $0.first }
        }
    }

    /// - Parameters:
    ///   - slateDelay: Nanoseconds that the first source is waited for before the slate comes.
    ///   - mostAhead: Nanoseconds that a source may be ahead of real time.
    ///   - changePatience: Nanoseconds that one that takes the air waits for the last pictures of the one before.
    ///   - keepsSound: Its sound has one format.
    init(
        hub: FeedHub, patience: Int64, slateDelay: Int64, mostAhead: Int64, changePatience: Int64, keepsSound: Bool,
        start: Int64, loop: EventLoop
    ) {
        self.mostAhead = mostAhead
        self.changePatience = changePatience
        sound = ChannelSound(isKept: keepsSound)
        slateFrom = EventLoop.now() + slateDelay
        self.hub = hub
        self.loop = loop
        splicer = Splicer(feed: hub.feed, start: start, fillsSilence: true)
        choice = OnAirChoice(patience: patience)
    }

    /// Nanoseconds that the source on air may be silent.
    var patience: Int64 {
        get { choice.patience }
        set { choice.patience = newValue }
    }

    /// Its sound has one format, because a group copies it.
    var keepsSound: Bool {
        get { sound.isKept }
        set {
            guard newValue != sound.isKept else { return }
            sound.isKept = newValue
            tellSound()
        }
    }

    /// The one format of its sound; `nil` where any is taken, or none has come.
    var soundFormat: AACFormat? { sound.kept }
    /// The one that the feed has already: it takes it with a keyframe where there was another.
    var soundInFeed: AACFormat? { sound.isKept ? splicer.audioFormat : nil }

    var tail: Splicer.Tail { splicer.tail }
    var videoCodec: VideoCodec? { splicer.videoCodec }
    /// Pictures are lost to encoders alone, so none is here.
    var figures: DataPath.FeedFigures {
        .init(frames: splicer.frames, bytes: hub.feed.position, mediaBytes: splicer.mediaBytes, end: tail.videoDTS)
    }
    /// What the source on air says of its picture.
    var videoFormat: VideoFormat? { player?.clip.format ?? sources.first { $0.priority == choice.onAir }?.videoFormat }

    /// What is on air is the slate.
    var showsSlate: Bool { player != nil }

    /// Has a clip shown whenever no source delivers, from now on.
    func setSlate(_ clip: SlateClip, report: @escaping @Sendable (SlateEvent) -> Void) {
        slate = clip
        reportSlate = report
        if player != nil { player = SlatePlayer(clip, start: max(EventLoop.now(), player?.due ?? 0)) }
        loop.arm(for: EventLoop.now())
    }

    /// Shows what is due of the slate; returns when to look again.
    private func playSlate(now: Int64) -> Int64 {
        guard let slate else { return .max }
        if player == nil {
            // A source is about to take the air.
            if let change { return change.deadline }
            let due = lastAired.map { $0 + choice.patience } ?? slateFrom
            guard now >= due else { return due }
            player = SlatePlayer(slate, start: now)
            reportSlate(.onAir(slate.format))
        }
        if player!.isLost(now: now) { player = SlatePlayer(slate, start: now) }
        player!.play(into: &splicer, now: now)
        hub.mayFlush(sawVideo: true)
        return player!.due
    }

    /// - Parameter isNew: Whatever had this priority before, this is something else.
    func add(_ source: Source, isNew: Bool) {
        // Its process or its publisher ends a moment later than the next one comes.
        if let index = sources.firstIndex(where: { $0.priority == source.priority }) { end(index) }
        sources.append(source)
        source.keepSound(in: sound.kept)
        paces[source.priority] = isNew ? nil : paces[source.priority]?.following()
        if isNew { choice.forgive(source.priority) }
        if let due = source.stalls(channelPatience: choice.patience) { loop.arm(for: due) }
    }

    /// Closes a source's inlet without waiting for its relay, or its publisher, to end.
    func remove(_ unitReader: any UnitReader) {
        unitReader.close()
        unitReaderEnded(unitReader)
    }

    /// Ends the source of a stream of frames without waiting for its encoders.
    func remove(_ frames: FrameStream) { streamEnded(frames) }

    private func end(_ index: Int) {
        let source = sources[index]
        source.close()
        sources.remove(at: index)
        choice.ended(source.priority, now: EventLoop.now())
        source.forgetLateSound()
        source.report(.ended)
        guard let change else { return }
        if change.from === source { finish(change, isThere: false) }
        if change.to === source { self.change = nil }
    }

    // MARK: Inlet owner

    func unitReader(_ unitReader: any UnitReader, found program: Program) {
        guard let source = source(of: unitReader) else { return }
        source.isForeign = program.hasForeignAudio || (program.video == nil && program.hasForeignVideo)
        source.program = program
        source.forgetLateSound()
        source.report(.program(program))
    }

    func unitReader(
        _ unitReader: any UnitReader, found unit: AccessUnit, in parser: borrowing some UnitSource & ~Copyable,
        now: Int64
    ) {
        guard let source = source(of: unitReader) else {
            return takeConverted(unit, of: unitReader, from: parser, now: now)
        }
        guard !source.isForeign, let program = parser.program else { return }
        if unit.kind == .video { source.lastPicture = now }
        take(unit, of: source, from: parser, program: source.converted(program), now: now)
        if unit.kind == .video { keepPace(of: source, at: unit.dts, unitReader, now: now) }
    }

    func unitReaderBeganFormat(_ unitReader: any UnitReader) { source(of: unitReader)?.beginsFormat = true }

    func unitReader(_ unitReader: any UnitReader, hasForeignAudio audio: ForeignAudio?) {
        guard let source = source(of: unitReader) else { return }
        source.forgetConverters()
        source.forgetLateSound()
        source.report(.foreignAudio(audio))
    }

    /// Has a source wait that is ahead of real time, on air or not: a file that is fetched plays like any other source.
    private func keepPace(of source: Source, at dts: Int64, _ unitReader: any UnitReader, now: Int64) {
        let (wait, change) = paces[source.priority, default: SourcePace(most: mostAhead)].note(dts, now: now)
        if let wait {
            unitReader.wait(until: wait)
            // A source that is held back is not silent: its next picture is there.
            source.lastPicture = max(wait, now)
            choice.delivered(source.priority, now: max(wait, now))
            if choice.onAir == source.priority, player == nil { lastAired = max(wait, now) }
        }
        if let change { source.report(.ahead(change)) }
    }

    private func take(
        _ unit: AccessUnit, of source: Source, from parser: borrowing some UnitSource & ~Copyable, program: Program,
        now: Int64
    ) {
        if unit.kind == .audio, !takesSound(unit, of: source) { return }
        if unit.kind == .video {
            choice.delivered(source.priority, now: now)
            source.pictures += 1
            let isFirst = source.reportedFormat == nil && source.pictures == 1
            // Of a card and of a program's frames the rate is known: fewer come where the machine is too slow for them.
            let hasOtherRate = source.frames == nil && source.meter.note(unit.dts)
            // Parameter sets come with keyframes; other units change nothing.
            let mayDiffer = unit.isKeyframe || hasOtherRate || isFirst
            if mayDiffer { source.videoFormat = parser.videoFormat?.paced(by: source.meter.rate) }
            if source.isStalled || source.pictures == 1 {
                source.isStalled = false
                source.report(.delivering(source.videoFormat))
                loop.arm(for: now + min(choice.patience, source.patience?.next ?? .max))
            }
            if mayDiffer, source.beginsFormat || source.videoFormat != source.reportedFormat {
                source.reportedFormat = source.videoFormat
                source.beginsFormat = false
                if !isFirst { source.report(.changed(source.videoFormat)) }
            }
        }
        if let change, change.from === source {
            pass(unit, of: source, from: parser, program: program, now: now)
            guard unit.kind == .video else { return }
            lastAired = now
            if splicer.outstanding == 0 { finish(change, isThere: true) }
            return
        }
        if let change, change.to === source { finish(change, isThere: true) }
        if choice.onAir != source.priority || player != nil {
            guard unit.kind == .video, unit.isKeyframe else { return }
            let previous = choice.onAir
            let former = change?.from ?? sources.first { $0.priority == previous }
            guard choice.keyframe(from: source.priority, slateIsOnAir: player != nil, now: now) else { return }
            // This one is wanted more.
            if let change { resume(change.to) }
            change = nil
            if player != nil {
                player = nil
                reportSlate(.offAir)
            } else if splicer.outstanding > 0, let former, former !== source, !former.isStalled {
                change = Change(from: former, to: source, deadline: now + changePatience)
                source.keep()
                loop.arm(for: now + changePatience)
                return
            }
            if former !== source { former?.leaveAir() }
            begin(source, source.videoFormat)
        }
        if unit.kind == .video {
            if lastAired == nil { loop.arm(for: now + choice.patience) }
            lastAired = now
        }
        pass(unit, of: source, from: parser, program: program, now: now)
    }

    /// Puts a unit of a source on air into the feed.
    private func pass(
        _ unit: AccessUnit, of source: Source, from parser: borrowing some UnitSource & ~Copyable, program: Program,
        now: Int64
    ) {
        var program = program
        let first = unit.kind == .audio ? unit.audioFormat : parser.audioFormat
        if sound.decide(by: first, now: now) {
            tellSound()
            if unit.kind == .audio, !takesSound(unit, of: source) { return }
        }
        source.writer.audioFormat = sound.kept
        // Silence stands in at once, and not when it has been waited for.
        if source.otherSound.isRefused { program.audio = nil }
        let outcome = splicer.accept(
            unit, of: &source.writer, from: parser, program: program, now: Ticks.fromNanoseconds(now))
        if unit.kind == .audio { watchSound(of: source, isTaken: outcome != .dropped) }
    }

    /// A unit of sound of the source on air was given to the splicer just now.
    private func watchSound(of source: Source, isTaken: Bool) {
        if isTaken { return source.forgetLateSound() }
        guard let lag = splicer.refusedLag, let picture = tail.videoPTS else { return }
        if let told = source.lateSound.refuse(lag: lag, beside: picture) { source.report(.lateSound(told)) }
    }

    /// Tells every source in which format the sound has to be from now on.
    private func tellSound() {
        for source in sources { source.keepSound(in: sound.kept) }
    }

    /// Whether a unit of sound can go into the feed as it is. Where its source has to be told that it cannot, it is.
    private func takesSound(_ unit: AccessUnit, of source: Source) -> Bool {
        guard let kept = sound.kept else { return true }
        // What does not say what it is, or two things, is of no use, and no reason for anything.
        guard let format = unit.audioFormat else { return false }
        guard format != kept else {
            source.otherSound.isOver()
            return true
        }
        if source.otherSound.note(format), !source.convertsSound { source.report(.otherSound(format, channel: kept)) }
        return false
    }

    private func begin(_ source: Source, _ format: VideoFormat?) {
        source.writer = Splicer.Writer(.following)
        sound.begins()
        source.forgetLateSound()
        source.report(.onAir(format))
    }

    /// Has a source take the air that waited for the last pictures of another.
    ///
    /// - Parameter isThere: The other one has not ended.
    private func finish(_ change: Change, isThere: Bool) {
        self.change = nil
        if isThere { change.from.leaveAir() }
        begin(change.to, change.to.videoFormat)
        resume(change.to)
    }

    /// Takes what was left waiting, from the loop: a unit of another source is being given.
    private func resume(_ source: Source) {
        loop.at(EventLoop.now()) { [weak source] in source?.release() }
    }

    func unitReaderPaused(_ unitReader: any UnitReader, sawVideo: Bool) {
        hub.mayFlush(sawVideo: sawVideo)
        unitReader.rest(until: hub.nextTurn)
    }

    func unitReaderEnded(_ unitReader: any UnitReader) {
        if let index = sources.firstIndex(where: { $0.unitReader === unitReader }) {
            end(index)
        } else if let (source, converter) = converter(of: unitReader) {
            source.remove(converter)
        }
    }

    // MARK: Converted sound

    /// Where a process that converts the sound of a source is to continue; `nil` where no such process was given any.
    ///
    /// - Parameter inlet: The source's own.
    func soundReplayStart(of unitReader: any UnitReader) -> Int64? { source(of: unitReader)?.resume.replayStart }

    /// Has the sound of a source converted. Where another one does that and is late, the first that gives sound goes
    /// on.
    ///
    /// - Parameters:
    ///   - inlet: The source's own.
    ///   - sampleRate: In which it is converted.
    /// - Returns: From which sample on the process is to give it, counted from the first message that it was given;
    ///   `nil` for all of them.
    /// - Throws: ``DataPath/NothingToConvert`` where there is no such source any more.
    func add(
        _ converter: SoundConverter, to unitReader: any UnitReader, sampleRate: Int
    ) throws(DataPath.NothingToConvert) -> Int64? {
        guard let source = source(of: unitReader) else { throw DataPath.NothingToConvert() }
        source.add(converter)
        // The source waits to take the air.
        if change?.to === source { converter.hold() }
        return converter.first.flatMap { source.resume.firstSample(from: $0, sampleRate: sampleRate) }
    }

    /// Its process has ended, or is not wanted any more.
    func remove(_ converter: SoundConverter) {
        self.converter(of: converter.unitReader)?.source.remove(converter)
        converter.close()
    }

    private func takeConverted(
        _ unit: AccessUnit, of unitReader: any UnitReader, from parser: borrowing some UnitSource & ~Copyable,
        now: Int64
    ) {
        guard unit.kind == .audio, let (source, converter) = converter(of: unitReader),
            let time = converter.took(unit.pts), let program = source.program, change?.to !== source
        else { return }
        // It was started before the format of the channel's sound was decided.
        if let kept = sound.kept, let format = unit.audioFormat, format != kept { return converter.isOutdated() }
        guard source.resume.take(time, duration: unit.duration) else { return }
        converter.delivers()
        source.prefer(converter)
        var unit = unit
        unit.pts = Ticks.onWire(time)
        unit.dts = unit.pts
        take(unit, of: source, from: parser, program: source.converted(program), now: now)
    }

    private func converter(of unitReader: any UnitReader) -> (source: Source, converter: SoundConverter)? {
        for source in sources {
            if let converter = source.converters.first(where: { $0.unitReader === unitReader }) {
                return (source, converter)
            }
        }
        return nil
    }

    // MARK: Owner of frames

    /// Nanoseconds that frames count as pictures while an encoder is replaced: theirs will come.
    private static let encoderPatience: Int64 = 4_000_000_000

    func stream(_ stream: FrameStream, hasFrame now: Int64) {
        guard let source = source(of: stream) else { return }
        source.lastPicture = now
        guard let lastPicture = stream.lastPicture, now - lastPicture < Self.encoderPatience else { return }
        if source.isStalled {
            source.isStalled = false
            source.report(.delivering(source.videoFormat))
            loop.arm(for: now + min(choice.patience, source.patience?.next ?? .max))
        }
        choice.delivered(source.priority, now: now)
        if choice.onAir == source.priority, player == nil { lastAired = now }
    }

    func stream(
        _ stream: FrameStream, found unit: AccessUnit, in parser: borrowing some UnitSource & ~Copyable,
        program: Program,
        isNew: Bool, now: Int64
    ) {
        guard let source = source(of: stream) else { return }
        if isNew { source.writer.resume(needsKeyframe: true) }
        take(unit, of: source, from: parser, program: program, now: now)
    }

    func streamPaused(_ stream: FrameStream, sawVideo: Bool) { hub.mayFlush(sawVideo: sawVideo) }

    func stream(_ stream: FrameStream, hasLost count: Int) { source(of: stream)?.report(.lost(count)) }

    func stream(_ stream: FrameStream, isUnreadable problem: String) {
        source(of: stream)?.report(.unreadable(problem))
    }

    func streamEnded(_ stream: FrameStream) {
        if let index = sources.firstIndex(where: { $0.frames === stream }) { end(index) }
    }

    private func source(of stream: FrameStream) -> Source? { sources.first { $0.frames === stream } }

    /// Flushes what was held back and looks for sources that went silent; returns when to look again.
    func runTimers(now: Int64) -> Int64 {
        // Before the flush: what the slate adds goes out with it.
        var next = playSlate(now: now)
        next = min(next, hub.flushIfDue(now: now))
        for source in sources {
            if let frames = source.frames { next = min(next, frames.runTimers(now: now)) }
            for converter in source.converters { next = min(next, converter.runTimers(now: now)) }
        }
        if let change {
            if now >= change.deadline { finish(change, isThere: true) } else { next = min(next, change.deadline) }
        }
        // One that waits to take the air is not read meanwhile.
        for source in sources where !source.isStalled && change?.to !== source {
            guard let due = source.stalls(channelPatience: choice.patience) else { continue }
            if now >= due {
                source.isStalled = true
                source.report(.stalled)
            } else {
                next = min(next, due)
            }
        }
        return next
    }

    private func source(of unitReader: any UnitReader) -> Source? { sources.first { $0.unitReader === unitReader } }
}
