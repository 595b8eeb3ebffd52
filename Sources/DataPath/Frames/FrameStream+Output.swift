import DequeModule
import MPEGTS

// Encoded frames and audio, on their way to the owner.
extension FrameStream: UnitReaderDelegate {
    func unitReader(_ unitReader: any UnitReader, found program: Program) {
        if unitReader === audioReader {
            audioStream = program.audio
        } else if let video = program.video {
            videoStream = video
        }
    }

    func unitReader(
        _ unitReader: any UnitReader, found unit: AccessUnit, in parser: borrowing some UnitSource & ~Copyable,
        now: Int64
    ) {
        if unitReader === audioReader {
            if unit.kind == .audio {
                owner.stream(self, found: unit, in: parser, program: program, isNew: false, now: now)
            }
            return
        }
        if unit.kind == .video, kept === unitReader {
            // This frame has already been counted.
            kept = nil
            return give(unit, of: unitReader, from: parser, isNew: false, now: now)
        }
        guard unit.kind == .video, let generation = generations.first(where: { $0.unitReader === unitReader }),
            let number = number(of: unit, from: generation)
        else { return }
        noteProgress(of: generation, now: now)
        if let cut = generation.cut, number >= cut {
            generation.isCut = true
            return
        }
        // Only a keyframe can follow another encoder's frames.
        guard number >= store.nextToDeliver, generation.isJoined || unit.isKeyframe else { return }
        deliver(unit, number, of: generation, from: parser, now: now)
    }

    private func noteProgress(of generation: Generation, now: Int64) {
        generation.owesSince = generation.given.isEmpty ? nil : now
        if generation.isStalled { generation.report(.recovered) }
        generation.isStalled = false
    }

    /// Passes an encoded frame on, and lets the store forget its uncompressed frame.
    private func deliver(
        _ unit: AccessUnit, _ number: Int, of generation: Generation,
        from parser: borrowing some UnitSource & ~Copyable, now: Int64
    ) {
        let isNew = !generation.isJoined
        let missing = lastEncoded == nil ? 0 : number - store.nextToDeliver
        encodedFrames += 1
        deliveredTime = store.firstFrame(atOrAfter: number)?.time
        store.removeDelivered(through: number)
        resumeInput()
        videoFormat = parser.videoFormat
        give(unit, of: generation.unitReader, from: parser, isNew: isNew, now: now)
        if lastEncoded == nil, kept == nil { audioReader?.release() }
        if isNew { join(generation, now: now) }
        lastEncoded = now
        if missing > 0 {
            lostFrames += missing
            owner.stream(self, hasLost: missing)
        }
        releaseSuccessor()
        endIfOver()
    }

    /// The video and the audio, as if they came from one multiplexer.
    private var program: Program { Program(video: videoStream, audio: audioStream) }

    private func give(
        _ unit: AccessUnit, of unitReader: any UnitReader, from parser: borrowing some UnitSource & ~Copyable,
        isNew: Bool, now: Int64
    ) {
        giving = unitReader
        owner.stream(self, found: unit, in: parser, program: program, isNew: isNew, now: now)
        giving = nil
    }

    /// Keeps the frame that the owner gets at present, the frames behind it, and the audio. The owner gets the frame
    /// once more after ``release()``.
    func keep() {
        guard let giving else { return }
        kept = giving
        giving.keep()
        audioReader?.hold()
    }

    /// Gives the owner the kept frame. It is lost where its encoder has ended meanwhile.
    func release() {
        kept?.release()
        audioReader?.release()
    }

    /// The number of the uncompressed frame that an encoded frame was made of. The encoder has left out the frames
    /// before it.
    private func number(of unit: AccessUnit, from generation: Generation) -> Int? {
        guard let oldest = generation.given.first else { return nil }
        let time = Ticks.extend(unit.pts, near: oldest.time)
        while let next = generation.given.first, next.time < time - Self.rounding { generation.given.removeFirst() }
        guard let frame = generation.given.first, frame.time <= time + Self.rounding else { return nil }
        generation.given.removeFirst()
        return frame.number
    }

    /// Rounding error of an encoder that counts in microseconds, in ticks.
    private static let rounding: Int64 = 2

    func unitReaderPaused(_ unitReader: any UnitReader, sawVideo: Bool) {
        owner.streamPaused(self, sawVideo: sawVideo)
    }

    func unitReaderEnded(_ unitReader: any UnitReader) {
        if unitReader === audioReader {
            audioReader = nil
            return
        }
        end(unitReader)?.report(.ended)
    }
}
