extension Splicer {
    /// Ticks that a program's audio may be behind its video before silence replaces it.
    private static let audioPatience = Ticks.perSecond
    /// Dropped audio counts as late if it is at least so many ticks behind its video. This is less than the patience:
    /// if the audio is about that late, silence may begin again before the audio has reached its end.
    private static let shortestLag = audioPatience / 2
    /// Ticks of video for which the first audio of a feed is awaited. Publishers of FFmpeg 5.1 look at the first 0.1 s.
    private static let firstAudioPatience = Ticks.perSecond / 20
    /// Ticks by which audio frames of two writers, or audio and silence, may overlap: at most half a frame at 44.1 kHz.
    private static let longestOverlap: Int64 = 1045
    /// A shorter step from one audio frame to the next is an error: half a millisecond, less than the resolution of
    /// FLV.
    private static let shortestAudioFrame: Int64 = 45

    mutating func acceptAudio(
        _ unit: AccessUnit, of writer: inout Writer, from source: borrowing some UnitSource & ~Copyable,
        program: Program
    ) -> Outcome {
        let raw: Int64
        switch writer.join {
        case .following:
            guard writer.isJoined, let latest = writer.latest else { return .dropped }
            raw = Ticks.extend(unit.pts, near: latest)
            if let abandoned = writer.abandoned {
                // Audio from before a jump that is read after the video has jumped no longer has a place.
                guard abs(raw - latest) <= abs(raw - abandoned) else { return refuseAudio(at: raw + writer.offset) }
                writer.abandoned = nil
            }
        case .resuming(let reference, _):
            raw = Ticks.extend(unit.pts, near: writer.latest ?? reference)
        }
        let pts = raw + writer.offset
        if let video = tail.videoDTS, abs(pts - video) > Self.longestStep { return refuseAudio(at: pts) }
        if let end = writer.end, pts > end.audio - unit.duration / 2 {
            writer.passed.audio = true
            return .dropped
        }
        if let format = writer.audioFormat {
            guard unit.audioFormat == format, !hasOtherAudio(than: format) else { return .dropped }
            setAudioFormat(format)
        }
        // Audio that is further behind is never heard: the silence continues until the audio has caught up.
        if tail.videoPTS.map({ $0 - pts <= Self.audioPatience }) ?? true { isBridging = false }
        guard pts >= earliestAudio(unit, of: writer) else {
            // Audio that is close to its video, or ahead of it, only waits for the end of another writer's audio.
            return tail.videoPTS.map { $0 - pts > Self.shortestLag } == true ? refuseAudio(at: pts) : .dropped
        }
        if fillsSilence { fillSilence(until: pts) }
        if output.program == nil { output.use(program) }
        output.write(unit, from: source, pts: pts, dts: pts)
        formatsInEra.note(unit.audioFormat)
        tail.audioEnd = pts + unit.duration
        writer.audioEnd = tail.audioEnd
        lastAudioDuration = unit.duration
        lastAudio = pts
        return .accepted
    }

    /// Drops audio that is too far from its video.
    private mutating func refuseAudio(at pts: Int64) -> Outcome {
        refusedLag = tail.videoPTS.map { $0 - pts }
        return .dropped
    }

    /// The earliest presentation time of audio that follows the feed's contents.
    private func earliestAudio(_ unit: AccessUnit, of writer: Writer) -> Int64 {
        guard let end = tail.audioEnd else { return .min }
        // The timestamps of one writer are rounded and jitter. Its frames are all accepted, if their times only go
        // ahead.
        let overlap =
            writer.audioEnd == end
            ? min(lastAudioDuration, 2 * Self.longestOverlap) : min(unit.duration / 2, Self.longestOverlap)
        return max(end - overlap, lastAudio.map { $0 + Self.shortestAudioFrame } ?? .min)
    }

    /// Whether the feed has had audio in another format since its era began.
    func hasOtherAudio(than format: AACFormat?) -> Bool {
        switch formatsInEra {
        case .none: false
        case .one(let known): format.map { $0 != known } ?? false
        case .several: format != nil
        }
    }

    /// Sets the format of audio and silence from here on.
    mutating func setAudioFormat(_ format: AACFormat?) {
        guard let format, format != audioFormat || format != silence.format else { return }
        audioFormat = format
        silence = Silence(format: format)
    }

    /// Fills the audio up to a video frame if the writer has none, or is too far behind: up to the decoding time of the
    /// frame, since the audio for its presentation arrives beside it.
    ///
    /// - Parameter hasAudio: Whether the writer has audio that can go into the feed.
    mutating func bridgeAudio(hasAudio: Bool, pts: Int64, dts: Int64) {
        let start = audioStart ?? (pts, dts)
        audioStart = start
        if !hasAudio || pts - (tail.audioEnd ?? start.pts) > Self.audioPatience { isBridging = true }
        guard isBridging else { return }
        guard tail.audioEnd == nil else { return fillSilence(until: dts) }
        // The first audio may arrive a moment after the first frame. A process that reads the feed looks for it soon.
        if dts - start.dts >= Self.firstAudioPatience {
            fillSilence(until: max(dts, start.pts + silence.time(of: 1)))
        }
    }

    /// Writes whole frames of silence where audio is missing before `limit`.
    private mutating func fillSilence(until limit: Int64) {
        var next = tail.audioEnd ?? audioStart?.pts ?? limit
        // Audio of unknown duration counts as long as one of these frames.
        if let lastAudio, next <= lastAudio { next = lastAudio + silence.time(of: 1) }
        // In such a long pause the video is missing too, so it is not filled.
        if limit - next > Self.longestStep {
            next = limit
            tail.audioEnd = limit
        }
        silence.resume(at: next)
        while silence.nextEnd <= limit {
            output.writeSilence(silence.frame, pts: silence.end)
            lastAudio = silence.end
            silence.count()
            tail.audioEnd = silence.end
            silentFrames += 1
            formatsInEra.note(silence.format)
        }
    }
}
