import MPEGTS

// Frames that the channel had and the group has not.
extension GroupOutput {
    /// Counts the lost frames between the last frame and the one that has just been accepted.
    ///
    /// - Parameters:
    ///   - before: The end of the feed before this frame.
    ///   - missing: The frames that the splicer found missing where a generation joined; `nil` where none joined.
    func countLostFrames(since before: Splicer.Tail, joinedAfter missing: Int?, by generation: Generation) {
        if let missing {
            lostFrames += lost(missing, since: before, every: before.frameDuration, by: generation)
            // These lost frames include those that its input skipped before.
            generation.counted = generation.input.reader.skipped
        } else if generation.input.reader.skipped != generation.counted {
            countSkips(of: generation)
        } else if let end = before.videoDTS, let next = tail.videoDTS {
            if let step = generation.step {
                lostFrames += lost(Int((next - end + step / 2) / step - 1), since: before, every: step, by: generation)
            }
            generation.step = next - end
        }
    }

    /// Counts the frames that the channel had between the last one and the one that came now. Where it had none, none
    /// is lost.
    ///
    /// - Parameters:
    ///   - missing: How many frames have room between the two.
    ///   - step: Ticks from one frame to the next.
    private func lost(_ missing: Int, since before: Splicer.Tail, every step: Int64, by generation: Generation) -> Int {
        guard missing > 0, let end = before.videoDTS, let next = tail.videoDTS else { return 0 }
        let half = max(step / 2, 1)
        let former = lastEnd.flatMap { $0.dts == end ? $0.frames : nil } ?? generation.frames(until: end + half)
        let frames = max(0, generation.frames(until: next - half) - former)
        return lacking(frames, in: next - end, every: step, missing: missing)
    }

    /// Where the group has a clearly lower frame rate than the channel, it has lost no more frames than fit its own
    /// rate.
    private func lacking(_ frames: Int, in ticks: Int64, every step: Int64, missing: Int) -> Int {
        step * Int64(frames + 1) > ticks * 3 / 2 ? missing : frames
    }

    /// Counts the frames that an encoder's input skipped, once the encoder gives frames from behind the skip. If the
    /// encoder ends before that, the next one begins before the skip.
    private func countSkips(of generation: Generation) {
        let skipped = generation.input.reader.skipped
        guard let shown = tail.videoDTS, shown >= skipped.end else { return }
        let ticks = skipped.ticks - generation.counted.ticks
        let step = tail.frameDuration
        lostFrames += lacking(
            skipped.frames - generation.counted.frames, in: ticks, every: step,
            missing: Int((ticks + step / 2) / step))
        generation.counted = skipped
    }
}
