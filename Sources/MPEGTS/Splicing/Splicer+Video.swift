extension Splicer {
    /// A writer that resumes begins at most this long before the point where the previous one ended.
    private static let longestReplay = 60 * Ticks.perSecond
    /// If a new timeline begins later than this after a frame is due, it begins as much later in the feed. The readers
    /// of the pipes and the network explain shorter delays.
    private static let longestDelay = Ticks.perSecond / 10
    /// The largest number of frames that a decoder holds back.
    private static let deepestReorder: Int64 = 16
    /// A shorter step from one frame of a writer to the next is not the duration of a frame.
    private static let shortestVideoFrame: Int64 = 300

    /// How a video frame continues the feed.
    private struct Placement {
        /// Whether it is the first frame of its writer.
        var joins = false
        /// Whether its position follows from the feed's last frame, and not from its writer's.
        var isPlaced = false
    }

    mutating func acceptVideo(
        _ unit: AccessUnit, of writer: inout Writer, from source: borrowing some UnitSource & ~Copyable,
        program: Program, now: Int64
    ) -> Outcome {
        let stated = Ticks.extend(unit.pts, near: unit.dts) - unit.dts
        // Rounding can put the presentation of a frame before its decoding, which no reader accepts.
        guard stated >= -Self.longestStepBack, stated <= Self.longestStep else { return .dropped }
        let reorder = max(0, stated)
        let raw = Ticks.extend(unit.dts, near: writer.latest ?? reference(of: writer, dts: unit.dts))
        let previous = writer.latest
        guard let placement = place(unit, at: raw, reorder: reorder, of: &writer, now: now) else { return .dropped }
        let (joins, isPlaced) = (placement.joins, placement.isPlaced)
        writer.latest = raw
        writer.replay = nil
        if !joins, isLeading(raw + reorder, of: &writer) { return .dropped }
        let pts = raw + writer.offset + reorder
        guard let dts = decodingTime(raw, pts: pts, of: &writer, after: previous, isPlaced: isPlaced || joins) else {
            return .dropped
        }
        if joins { join(&writer, pts: raw + reorder) }

        let carried = Program(video: program.video, audio: fillsSilence ? .init(pid: 0, type: .aac) : program.audio)
        if output.use(carried) { formatsInEra = .none }
        let needsEra = hasOtherAudio(than: writer.audioFormat)
        if !needsEra { setAudioFormat(writer.audioFormat) }
        if fillsSilence { bridgeAudio(hasAudio: program.audio != nil && !needsEra, pts: pts, dts: dts) }
        if needsEra, unit.isKeyframe {
            // After the silence: no reader reads units between the beginning of an era and its first keyframe.
            output.beginEra()
            formatsInEra = .none
            setAudioFormat(writer.audioFormat)
        }
        output.write(unit, from: source, pts: pts, dts: dts)

        noteOutstanding(pts: pts, dts: dts, isFirst: joins || isPlaced)
        if let previous, !isPlaced, (Self.shortestVideoFrame...Ticks.perSecond).contains(raw - previous) {
            tail.frameDuration = raw - previous
        }
        tail.videoDTS = dts
        tail.videoPTS = max(pts, tail.videoPTS ?? pts)
        lastVideoArrival = now
        frames += 1
        return joins ? .joined : .accepted
    }

    /// Finds how a frame continues the feed, and moves the writer's timeline if necessary.
    ///
    /// - Returns: `nil` if the frame has to be dropped.
    private mutating func place(
        _ unit: AccessUnit, at raw: Int64, reorder: Int64, of writer: inout Writer, now: Int64
    ) -> Placement? {
        var placement = Placement()
        switch writer.join {
        case .following:
            if !writer.isJoined {
                guard unit.isKeyframe else { return nil }
                writer.offset = nextVideo(for: unit, reorder: reorder, now: now) - raw
                placement.joins = true
            } else if let replay = writer.replay, let latest = writer.latest, raw - latest > -Self.longestReplay,
                raw <= latest || (replay.needsKeyframe && !unit.isKeyframe)
            {
                return nil
            } else if let latest = writer.latest,
                beginsTimeline(unit, at: raw, reorder: reorder, after: latest, of: writer)
            {
                writer.offset = nextVideo(for: unit, reorder: reorder, now: now) - raw
                if isJump(from: latest, to: raw) { writer.abandoned = latest }
                writer.firstPTS = unit.isKeyframe ? raw + reorder : nil
                placement.isPlaced = true
            }
        case .resuming(_, let needsKeyframe):
            if let tail = tail.videoDTS, raw <= tail {
                writer.latest = raw
                return nil
            }
            if let end = writer.end, raw >= end.video {
                writer.latest = raw
                writer.passed.video = true
                return nil
            }
            if !writer.isJoined {
                // A copy can continue with any frame, if an earlier one has arrived.
                guard unit.isKeyframe || (!needsKeyframe && writer.latest != nil) else { return nil }
                if let tail = tail.videoDTS, !writer.isAfterPause { lostFrames += missingFrames(from: tail, to: raw) }
                placement.joins = true
            }
        }
        return placement
    }

    private mutating func noteOutstanding(pts: Int64, dts: Int64, isFirst: Bool) {
        guard let last = tail.videoPTS, pts > last else {
            outstanding = max(0, outstanding - 1)
            return
        }
        let between = (pts - last + tail.frameDuration / 2) / tail.frameDuration - 1
        // If there are more than a decoder holds back, they are missing and will not arrive.
        outstanding = isFirst || pts == dts || between > Self.deepestReorder ? 0 : Int(max(0, between))
    }

    private mutating func join(_ writer: inout Writer, pts: Int64) {
        joins += 1
        writer.number = joins
        writer.isJoined = true
        writer.firstPTS = writer.join.needsKeyframe ? pts : nil
        isBridging = false
    }

    /// Whether a frame is shown before the keyframe that its writer joined with: it may depend on a frame that the feed
    /// does not have.
    private func isLeading(_ pts: Int64, of writer: inout Writer) -> Bool {
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

    /// The decoding time of the frame with which a new timeline begins.
    ///
    /// Its presentation follows that of the last frame without a gap. Its decoding may then belong before that of a
    /// frame in the feed; see ``decodingTime(_:pts:of:after:isPlaced:)``.
    private func nextVideo(for unit: AccessUnit, reorder: Int64, now: Int64) -> Int64 {
        guard let dts = tail.videoDTS, let pts = tail.videoPTS, let arrival = lastVideoArrival else { return start }
        let pause = now - arrival
        let step = pause > tail.frameDuration + Self.longestDelay ? pause : tail.frameDuration
        // Frames after one that is not a keyframe may be shown before it.
        return unit.isKeyframe
            ? max(pts + step - reorder, dts - Self.longestStepBack)
            : max(dts + step, pts + tail.frameDuration - reorder)
    }

    private func isJump(from latest: Int64, to raw: Int64) -> Bool {
        raw - latest > Self.longestStep || raw - latest < -Self.longestStepBack
    }

    /// Whether a frame begins a new timeline of its writer: the times jump, or begin again with this keyframe.
    ///
    /// A file that starts over, or the next piece of a stream, begins with frames that are decoded before the last
    /// frames of the previous piece are shown. FFmpeg then writes times one tick apart, for frames that follow each
    /// other by one frame.
    private func beginsTimeline(
        _ unit: AccessUnit, at raw: Int64, reorder: Int64, after latest: Int64, of writer: Writer
    ) -> Bool {
        if isJump(from: latest, to: raw) { return true }
        guard let last = tail.videoPTS else { return false }
        let ahead = raw + reorder + writer.offset - last
        guard unit.isKeyframe else { return raw - latest == 1 && ahead == 1 }
        let isFrameLater =
            raw - latest >= Self.shortestVideoFrame || abs(ahead - tail.frameDuration) <= tail.frameDuration / 2
        return ahead <= 0 || raw <= latest || !isFrameLater
    }

    /// The decoding time of a frame in the feed. `nil` if the feed has no place for it.
    ///
    /// Frames that are decoded before the last frames of another writer are shown are squeezed between those: each
    /// comes a fraction of a frame after the previous one, until the writer's own times are later.
    private func decodingTime(
        _ raw: Int64, pts: Int64, of writer: inout Writer, after previous: Int64?, isPlaced: Bool
    ) -> Int64? {
        let own = raw + writer.offset
        guard let last = tail.videoDTS else { return own }
        switch writer.join {
        case .resuming: return own > last ? own : nil
        case .following:
            guard own > last || isPlaced || (writer.isSqueezed && raw > previous ?? .min) else {
                writer.isSqueezed = false
                return nil
            }
            let dts = max(own, min(last + shortestStep, pts))
            guard dts > last else { return nil }
            writer.isSqueezed = dts > own
            return dts
        }
    }

    /// The shortest time between the decoding of two frames, in ticks: an eighth of a frame, and more than a
    /// millisecond, the resolution of FLV.
    private var shortestStep: Int64 { max(Self.shortestVideoFrame / 3, min(tail.frameDuration, 3000) / 8) }
}
