package import MediaTypes

/// Joins successive writers into one feed, on frame boundaries.
///
/// Whatever the writers use, the feed has one set of PIDs, counters without a break, and timestamps that never go
/// back. A writer takes the feed at a keyframe; from then on the units of every other writer are refused.
///
/// Times that a splicer takes as `now` are ticks of any clock that runs evenly and does not stop.
package struct Splicer: ~Copyable {
    /// How a writer joins what is in the feed.
    package enum Join: Sendable, Hashable {
        /// A new timeline: its first keyframe follows what is in the feed, as much later as it came later.
        case following
        /// The same timeline, given again by another process: what is in the feed already is dropped, and the first
        /// unit that is not goes on without a gap.
        ///
        /// - Parameters:
        ///   - reference: A time on the feed's timeline within 13 hours of the writer's first unit.
        ///   - needsKeyframe: The writer encodes anew, so only a keyframe can follow; false where it copies.
        case resuming(near: Int64, needsKeyframe: Bool)
    }

    /// What became of a unit.
    package enum Outcome: Sendable, Hashable {
        /// It is in the feed.
        case accepted
        /// It is in the feed, as the first of its writer.
        case joined
        /// It was in the feed already, or came before the place where its writer can begin.
        case dropped
    }

    /// The end of what is in the feed, per stream.
    package struct Tail: Sendable, Hashable {
        /// Presentation time of the last picture; decoding time where pictures are reordered is never later.
        package var videoPTS: Int64?
        package var videoDTS: Int64?
        /// Ticks from one picture of a writer to its next, in the order of decoding, as it was last.
        package var frameDuration: Int64 = 3000
        /// Presentation time behind the last sound.
        package var audioEnd: Int64?
    }

    package var feed: Feed { output.feed }
    /// What the pictures of the feed are in now; `nil` before the first.
    package var videoCodec: VideoCodec? { output.program?.video?.type.videoCodec }
    package private(set) var tail = Tail()
    /// Pictures that went into the feed.
    package private(set) var frames = 0
    /// Pictures that are missing in the feed, by the frame duration, where a writer resumed.
    package private(set) var lostFrames = 0
    /// Pictures that are shown before the last one of the feed and have not come yet: a source gives its B-frames
    /// behind the picture that they lean on. By the frame duration.
    package private(set) var outstanding = 0
    /// Bytes of the streams themselves that went into the feed, without what carries them.
    package var mediaBytes: Int { output.mediaBytes }
    /// Frames of silence that stand in for missing sound.
    package private(set) var silentFrames = 0
    /// The one format that the sound has since a writer named it with ``Writer/sound``; `nil` before.
    package private(set) var sound: AACFormat?
    /// Where the unit given last is sound that was dropped for its time alone: ticks that it is behind the newest
    /// picture, negative where it is ahead. `nil` otherwise.
    package private(set) var refusedLag: Int64?

    private var output: FeedWriter
    private var lastVideoArrival: Int64?
    /// Counts the writers that joined; the last one has the feed.
    private var joins = 0
    /// Where sound belongs as long as there was none: at the first picture.
    private var soundStart: (pts: Int64, dts: Int64)?
    private var lastSoundDuration: Int64 = 0
    /// Presentation time of the last sound or silence, which ends where it begins if its duration is not known.
    private var lastSound: Int64?
    /// Silence stands in for the sound of the writer.
    private var isBridging = false
    private var silence = Silence(format: .stereo48)
    /// What the sound of this era of the feed is in, as far as there is any.
    private var inFeed = SoundInFeed.none

    /// Ticks that the sound of a program may come behind its picture before silence stands in.
    private static let audioPatience = Ticks.perSecond
    /// Sound that is dropped counts as late from so many ticks behind its picture on. It is less than the patience:
    /// where the sound is about as late as that, silence may begin again before the sound has reached its end.
    private static let leastLag = audioPatience / 2
    /// Ticks of pictures that the first sound of a feed is waited for. Publishers of FFmpeg 5.1 look at the first 0.1
    /// s.
    private static let firstSound = Ticks.perSecond / 20
    /// A step back or ahead in a writer's time that is taken for a new timeline.
    private static let longestStep = 10 * Ticks.perSecond
    private static let longestStepBack = Ticks.perSecond / 2
    /// A writer that goes on begins no more than this before the place where the one before broke off.
    private static let longestReplay = 60 * Ticks.perSecond
    /// Ticks by which frames of sound may overlap where writers or silence meet: half a frame at 44.1 kHz, at the most.
    private static let longestOverlap: Int64 = 1045
    /// A new timeline that begins later than this after a frame is due begins as much later; below, the readers of the
    /// pipes and the network account for it.
    private static let longestDelay = Ticks.perSecond / 10
    /// Pictures that a decoder holds back, at the most.
    private static let deepestReorder: Int64 = 16
    /// Less than this from one picture of a writer to the next is no frame's.
    private static let leastFrame: Int64 = 300
    /// The same for sound: half a millisecond, less than what FLV tells apart.
    private static let leastSound: Int64 = 45

    private let start: Int64
    private let fillsSilence: Bool

    /// - Parameters:
    ///   - start: Where the timeline begins.
    ///   - fillsSilence: Frames of silence stand in where a writer has no sound.
    package init(feed: Feed, start: Int64 = 10 * Ticks.perSecond, fillsSilence: Bool) {
        output = FeedWriter(feed: feed)
        self.start = start
        self.fillsSilence = fillsSilence
    }

    /// One writer's place on the feed's timeline.
    package struct Writer: Sendable {
        package let join: Join
        /// The one format in which its sound goes into the feed, and the silence in its place: AAC-LC, 48 or 44.1 kHz,
        /// stereo. Where the feed has sound of another, that is another stream to whoever reads it: an era begins with
        /// the writer's next keyframe, and sound waits for that. `nil` takes sound of any format, beside silence in
        /// the one that it was in before.
        package var sound: AACFormat?
        /// What is missing before its first picture was not wanted.
        package var isAfterPause = false
        /// A keyframe of this writer is in the feed.
        package fileprivate(set) var isJoined = false
        fileprivate var offset: Int64
        /// The newest decoding time of a picture, on the writer's own timeline.
        fileprivate var latest: Int64?
        /// The same before the last jump of the picture, until the sound has jumped too.
        fileprivate var abandoned: Int64?
        /// Presentation time of the keyframe that it joined with, until a picture comes behind it.
        fileprivate var firstPTS: Int64?
        fileprivate var number = 0
        /// Where its last sound in the feed ends.
        fileprivate var soundEnd: Int64?
        /// Where another writer takes over; this one's units from there on are refused.
        fileprivate var end: Cut?
        /// What comes is in the feed already, until something does that is not.
        fileprivate var replay: Replay?
        /// Its last picture in the feed has a later decoding time than its own, so its next ones may need one, too.
        fileprivate var isSqueezed = false
        /// What came from behind the end.
        fileprivate var passed: (video: Bool, audio: Bool) = (false, false)

        package init(_ join: Join) {
            self.join = join
            offset = 0
        }

        /// Its units begin again with the times of the first, so many ticks later.
        package mutating func beginAgain(after ticks: Int64) {
            offset += ticks
            latest = latest.map { $0 - ticks }
        }

        fileprivate struct Replay: Sendable {
            var needsKeyframe: Bool
        }

        /// Another process goes on with the same timeline: it begins with what is in the feed already, which is
        /// dropped.
        ///
        /// - Parameter needsKeyframe: It encodes anew, so that only a keyframe can follow; false where it copies.
        package mutating func resume(needsKeyframe: Bool) {
            replay = Replay(needsKeyframe: needsKeyframe)
            firstPTS = nil
            // Its frames of sound may stand on another grid.
            soundEnd = nil
        }

        /// Refuses what comes from `cut` on, because another writer of the same timeline gives it; `nil` takes that
        /// back.
        package mutating func setEnd(_ cut: Cut?) {
            end = cut
            passed = (false, false)
        }

        /// Its last picture before its end has been taken.
        package var hasGivenAllPictures: Bool { passed.video }
        /// Everything before its end has been taken.
        package var hasGivenAll: Bool { passed.video && passed.audio }
        /// Something of it was refused because of its end.
        package var isCut: Bool { passed.video || passed.audio }
    }

    /// A place between frames, on the feed's timeline.
    package struct Cut: Sendable, Hashable {
        /// The first picture behind it has this decoding time, or a later one.
        package var video: Int64
        /// The first sound behind it has this presentation time, to half a frame.
        package var audio: Int64

        package init(video: Int64, audio: Int64) {
            self.video = video
            self.audio = audio
        }
    }

    /// Takes a unit, whose bytes come from `source`.
    ///
    /// - Parameter program: Where picture and sound of one writer come apart, both of them; `nil` for the source's.
    package mutating func accept(
        _ unit: AccessUnit, of writer: inout Writer, from source: borrowing some UnitSource & ~Copyable,
        program: Program? = nil, now: Int64
    ) -> Outcome {
        refusedLag = nil
        guard let program = program ?? source.program, !writer.isJoined || writer.number == joins else {
            return .dropped
        }
        switch unit.kind {
        case .video: return acceptVideo(unit, of: &writer, from: source, program: program, now: now)
        case .audio: return acceptAudio(unit, of: &writer, from: source, program: program)
        }
    }

    // MARK: Video

    private mutating func acceptVideo(
        _ unit: AccessUnit, of writer: inout Writer, from source: borrowing some UnitSource & ~Copyable,
        program: Program,
        now: Int64
    ) -> Outcome {
        let stated = Ticks.extend(unit.pts, near: unit.dts) - unit.dts
        // Rounding may put a picture's presentation before its decoding; nobody downstream takes that.
        guard stated >= -Self.longestStepBack, stated <= Self.longestStep else { return .dropped }
        let reorder = max(0, stated)
        let raw = Ticks.extend(unit.dts, near: writer.latest ?? reference(of: writer, dts: unit.dts))
        let previous = writer.latest
        var joins = false
        // Its place follows from the feed's last picture, and not from its writer's.
        var isPlaced = false
        switch writer.join {
        case .following:
            if !writer.isJoined {
                guard unit.isKeyframe else { return .dropped }
                writer.offset = nextVideo(for: unit, reorder: reorder, now: now) - raw
                joins = true
            } else if let replay = writer.replay, let latest = writer.latest, raw - latest > -Self.longestReplay,
                raw <= latest || (replay.needsKeyframe && !unit.isKeyframe)
            {
                return .dropped
            } else if let latest = writer.latest, beginsAnew(unit, at: raw, reorder: reorder, after: latest, of: writer)
            {
                writer.offset = nextVideo(for: unit, reorder: reorder, now: now) - raw
                if isJump(from: latest, to: raw) { writer.abandoned = latest }
                writer.firstPTS = unit.isKeyframe ? raw + reorder : nil
                isPlaced = true
            }
        case .resuming(_, let needsKeyframe):
            if let tail = tail.videoDTS, raw <= tail {
                writer.latest = raw
                return .dropped
            }
            if let end = writer.end, raw >= end.video {
                writer.latest = raw
                writer.passed.video = true
                return .dropped
            }
            if !writer.isJoined {
                // A copy goes on anywhere, provided that it was there before.
                guard unit.isKeyframe || (!needsKeyframe && writer.latest != nil) else { return .dropped }
                if let tail = tail.videoDTS, !writer.isAfterPause { lostFrames += missingFrames(from: tail, to: raw) }
                joins = true
            }
        }
        writer.latest = raw
        writer.replay = nil
        if !joins, leads(raw + reorder, of: &writer) { return .dropped }
        let pts = raw + writer.offset + reorder
        guard let dts = decodingTime(raw, pts: pts, of: &writer, after: previous, isPlaced: isPlaced || joins) else {
            return .dropped
        }
        if joins { take(&writer, pts: raw + reorder) }

        let carried = Program(video: program.video, audio: fillsSilence ? .init(pid: 0, type: .aac) : program.audio)
        if output.use(carried) { inFeed = .none }
        let isOtherSound = hasOther(writer.sound)
        if !isOtherSound { turn(to: writer.sound) }
        if fillsSilence { standIn(hasSound: program.audio != nil && !isOtherSound, pts: pts, dts: dts) }
        if isOtherSound, unit.isKeyframe {
            // Behind the silence: what is between the begin of an era and its first keyframe is read by nobody.
            output.beginEra()
            inFeed = .none
            turn(to: writer.sound)
        }
        output.write(unit, from: source, pts: pts, dts: dts)

        noteOutstanding(pts: pts, dts: dts, isFirst: joins || isPlaced)
        if let previous, !isPlaced, (Self.leastFrame...Ticks.perSecond).contains(raw - previous) {
            tail.frameDuration = raw - previous
        }
        tail.videoDTS = dts
        tail.videoPTS = max(pts, tail.videoPTS ?? pts)
        lastVideoArrival = now
        frames += 1
        return joins ? .joined : .accepted
    }

    private mutating func noteOutstanding(pts: Int64, dts: Int64, isFirst: Bool) {
        guard let last = tail.videoPTS, pts > last else {
            outstanding = max(0, outstanding - 1)
            return
        }
        let between = (pts - last + tail.frameDuration / 2) / tail.frameDuration - 1
        // More than a decoder holds back are not to come, but missing.
        outstanding = isFirst || pts == dts || between > Self.deepestReorder ? 0 : Int(max(0, between))
    }

    private mutating func take(_ writer: inout Writer, pts: Int64) {
        joins += 1
        writer.number = joins
        writer.isJoined = true
        writer.firstPTS = writer.join.needsKeyframe ? pts : nil
        isBridging = false
    }

    /// The picture is shown before the keyframe that its writer joined with, so it may need one that nobody has.
    private func leads(_ pts: Int64, of writer: inout Writer) -> Bool {
        guard let first = writer.firstPTS else { return false }
        if pts < first { return true }
        writer.firstPTS = nil
        return false
    }

    private func missingFrames(from last: Int64, to next: Int64) -> Int {
        Int(max(0, (next - last + tail.frameDuration / 2) / tail.frameDuration - 1))
    }

    private func reference(of writer: Writer, dts: Int64) -> Int64 {
        switch writer.join {
        case .following: dts
        case .resuming(let reference, _): reference
        }
    }

    /// The decoding time that belongs to a picture with which a new timeline begins.
    ///
    /// What is shown goes on without a gap: its presentation follows the last one's. Its decoding may belong before
    /// that of a picture that is in the feed, see ``decodingTime(_:pts:of:after:isPlaced:)``.
    private func nextVideo(for unit: AccessUnit, reorder: Int64, now: Int64) -> Int64 {
        guard let dts = tail.videoDTS, let pts = tail.videoPTS, let arrival = lastVideoArrival else { return start }
        let pause = now - arrival
        let step = pause > tail.frameDuration + Self.longestDelay ? pause : tail.frameDuration
        // What comes behind a picture that is no keyframe may be shown before it.
        return unit.isKeyframe
            ? max(pts + step - reorder, dts - Self.longestStepBack)
            : max(dts + step, pts + tail.frameDuration - reorder)
    }

    private func isJump(from latest: Int64, to raw: Int64) -> Bool {
        raw - latest > Self.longestStep || raw - latest < -Self.longestStepBack
    }

    /// The picture does not go on with its writer's timeline: that jumps, or begins again with this keyframe.
    ///
    /// A file that starts over or a next piece of a stream begins with pictures that are decoded before the last ones
    /// of the piece before are shown. FFmpeg writes times one tick apart then, for pictures that come one frame after
    /// the other.
    private func beginsAnew(_ unit: AccessUnit, at raw: Int64, reorder: Int64, after latest: Int64, of writer: Writer)
        -> Bool
    {
        if isJump(from: latest, to: raw) { return true }
        guard let last = tail.videoPTS else { return false }
        let ahead = raw + reorder + writer.offset - last
        guard unit.isKeyframe else { return raw - latest == 1 && ahead == 1 }
        let isFrameLater = raw - latest >= Self.leastFrame || abs(ahead - tail.frameDuration) <= tail.frameDuration / 2
        return ahead <= 0 || raw <= latest || !isFrameLater
    }

    /// The decoding time that a picture has in the feed; `nil` where it has no place there.
    ///
    /// Pictures that are decoded before the last ones of another writer are shown are squeezed between those: each
    /// comes a fraction of a frame after the one before, until the writer's own times lie behind.
    private func decodingTime(_ raw: Int64, pts: Int64, of writer: inout Writer, after previous: Int64?, isPlaced: Bool)
        -> Int64?
    {
        let own = raw + writer.offset
        guard let last = tail.videoDTS else { return own }
        switch writer.join {
        case .resuming: return own > last ? own : nil
        case .following:
            guard own > last || isPlaced || (writer.isSqueezed && raw > previous ?? .min) else {
                writer.isSqueezed = false
                return nil
            }
            let dts = max(own, min(last + leastStep, pts))
            guard dts > last else { return nil }
            writer.isSqueezed = dts > own
            return dts
        }
    }

    /// Ticks between the decoding times of two pictures, at the least: an eighth of a frame, and more than the
    /// milliseconds of FLV can tell apart.
    private var leastStep: Int64 { max(Self.leastFrame / 3, min(tail.frameDuration, 3000) / 8) }

    // MARK: Audio

    private mutating func acceptAudio(
        _ unit: AccessUnit, of writer: inout Writer, from source: borrowing some UnitSource & ~Copyable,
        program: Program
    ) -> Outcome {
        let raw: Int64
        switch writer.join {
        case .following:
            guard writer.isJoined, let latest = writer.latest else { return .dropped }
            raw = Ticks.extend(unit.pts, near: latest)
            if let abandoned = writer.abandoned {
                // Sound from before a jump, read after the picture has jumped, has no place any more.
                guard abs(raw - latest) <= abs(raw - abandoned) else { return refuseSound(at: raw + writer.offset) }
                writer.abandoned = nil
            }
        case .resuming(let reference, _):
            raw = Ticks.extend(unit.pts, near: writer.latest ?? reference)
        }
        let pts = raw + writer.offset
        if let picture = tail.videoDTS, abs(pts - picture) > Self.longestStep { return refuseSound(at: pts) }
        if let end = writer.end, pts > end.audio - unit.duration / 2 {
            writer.passed.audio = true
            return .dropped
        }
        if let sound = writer.sound {
            guard unit.audioFormat == sound, !hasOther(sound) else { return .dropped }
            turn(to: sound)
        }
        // Audio that is further behind than that is never heard: the silence goes on until its times have caught up.
        if tail.videoPTS.map({ $0 - pts <= Self.audioPatience }) ?? true { isBridging = false }
        guard pts >= earliestSound(unit, of: writer) else {
            // What is beside its picture, or ahead of it, only has to wait until the sound of another writer is over.
            return tail.videoPTS.map { $0 - pts > Self.leastLag } == true ? refuseSound(at: pts) : .dropped
        }
        if fillsSilence { fillSilence(until: pts) }
        if output.program == nil { output.use(program) }
        output.write(unit, from: source, pts: pts, dts: pts)
        inFeed.note(unit.audioFormat)
        tail.audioEnd = pts + unit.duration
        writer.soundEnd = tail.audioEnd
        lastSoundDuration = unit.duration
        lastSound = pts
        return .accepted
    }

    /// Sound has no place in the feed because it is too far from its picture.
    private mutating func refuseSound(at pts: Int64) -> Outcome {
        refusedLag = tail.videoPTS.map { $0 - pts }
        return .dropped
    }

    /// The earliest presentation time that sound may have which follows what is in the feed.
    private func earliestSound(_ unit: AccessUnit, of writer: Writer) -> Int64 {
        guard let end = tail.audioEnd else { return .min }
        // The timestamps of one writer are rounded and jitter; its frames are no less its frames, if they only go
        // ahead.
        let overlap =
            writer.soundEnd == end
            ? min(lastSoundDuration, 2 * Self.longestOverlap) : min(unit.duration / 2, Self.longestOverlap)
        return max(end - overlap, lastSound.map { $0 + Self.leastSound } ?? .min)
    }

    /// The feed has sound in another format than this, since its era began.
    private func hasOther(_ format: AACFormat?) -> Bool {
        switch inFeed {
        case .none: false
        case .one(let known): format.map { $0 != known } ?? false
        case .several: format != nil
        }
    }

    /// The sound, and what stands in for it, is in this format from here on.
    private mutating func turn(to format: AACFormat?) {
        guard let format, format != sound || format != silence.format else { return }
        sound = format
        silence = Silence(format: format)
    }

    /// Bridges the sound up to a picture when the writer has none, or has fallen behind too far: up to the picture's
    /// decoding time, for what is to be heard then comes beside it.
    ///
    /// - Parameter hasSound: What the writer has can go into the feed.
    private mutating func standIn(hasSound: Bool, pts: Int64, dts: Int64) {
        let start = soundStart ?? (pts, dts)
        soundStart = start
        if !hasSound || pts - (tail.audioEnd ?? start.pts) > Self.audioPatience { isBridging = true }
        guard isBridging else { return }
        guard tail.audioEnd == nil else { return fillSilence(until: dts) }
        // The first sound may come a moment behind the first picture; a process that reads looks for it soon after.
        if dts - start.dts >= Self.firstSound { fillSilence(until: max(dts, start.pts + silence.time(of: 1))) }
    }

    /// Puts whole frames of silence where sound is missing before `limit`.
    private mutating func fillSilence(until limit: Int64) {
        var next = tail.audioEnd ?? soundStart?.pts ?? limit
        // Sound of no known length is as long as one of these.
        if let lastSound, next <= lastSound { next = lastSound + silence.time(of: 1) }
        // After a break as long as this the sound is missing like the picture.
        if limit - next > Self.longestStep {
            next = limit
            tail.audioEnd = limit
        }
        silence.resume(at: next)
        while silence.nextEnd <= limit {
            output.writeSilence(silence.frame, pts: silence.end)
            lastSound = silence.end
            silence.count()
            tail.audioEnd = silence.end
            silentFrames += 1
            inFeed.note(silence.format)
        }
    }
}

extension Splicer.Join {
    /// Only a keyframe can follow.
    fileprivate var needsKeyframe: Bool {
        switch self {
        case .following: true
        case .resuming(_, let needsKeyframe): needsKeyframe
        }
    }
}

/// What the sound between two changes of an era is in.
private enum SoundInFeed: Sendable {
    case none
    case one(AACFormat)
    case several

    /// - Parameter format: `nil` where it is not known.
    mutating func note(_ format: AACFormat?) {
        guard let format else { return }
        switch self {
        case .none: self = .one(format)
        case .one(let known): if known != format { self = .several }
        case .several: break
        }
    }
}

/// Silence in one format, frame by frame without a gap: on a grid of samples, since a frame at 44.1 kHz lasts no whole
/// number of ticks, and what is left over would add up to seconds in a day.
private struct Silence: Sendable {
    let format: AACFormat
    let frame: [UInt8]
    /// Where the first frame of the run begins, in ticks.
    private var start: Int64 = 0
    /// Frames of the run.
    private var frames: Int64 = 0
    /// Where the run ends, in ticks: where its next frame begins.
    private(set) var end: Int64 = 0

    /// - Parameter format: A plain one.
    init(format: AACFormat) {
        self.format = format
        frame = format == .stereo44 ? ADTS.silence44 : ADTS.silence
    }

    /// Ticks that frames last, rounded down.
    func time(of frames: Int64) -> Int64 { frames * 1024 * Ticks.perSecond / Int64(format.sampleRate) }

    /// Where its next frame ends.
    var nextEnd: Int64 { start + time(of: frames + 1) }

    /// The next frame begins here: unless the run ends here, another one begins.
    mutating func resume(at time: Int64) {
        guard time != end || frames == 0 else { return }
        (start, frames, end) = (time, 0, time)
    }

    /// Its next frame is in the feed.
    mutating func count() {
        frames += 1
        end = start + time(of: frames)
    }
}
