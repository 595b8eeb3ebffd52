/// Silence in one format, frame after frame without a gap. It counts samples: a frame at 44.1 kHz does not last a whole
/// number of ticks, and the remainders would add up to seconds in a day.
struct Silence: Sendable {
    let format: AACFormat
    /// One frame, with its ADTS header.
    let frame: [UInt8]
    /// The time at which the first frame of the run begins, in ticks.
    private var start: Int64 = 0
    /// The number of frames of the run.
    private var frames: Int64 = 0
    /// The time at which the run ends and its next frame begins, in ticks.
    private(set) var end: Int64 = 0

    /// - Parameter format: A plain one; see ``AACFormat/isPlain``.
    init(format: AACFormat) {
        self.format = format
        frame = format == .stereo44 ? ADTS.silence44 : ADTS.silence
    }

    /// The duration of a number of frames in ticks, rounded down.
    func time(of frames: Int64) -> Int64 { frames * 1024 * Ticks.perSecond / Int64(format.sampleRate) }

    /// The time at which the next frame ends.
    var nextEnd: Int64 { start + time(of: frames + 1) }

    /// Sets where the next frame begins. If the run does not end there, a new run begins.
    mutating func resume(at time: Int64) {
        guard time != end || frames == 0 else { return }
        (start, frames, end) = (time, 0, time)
    }

    /// Called when the next frame is in the feed.
    mutating func count() {
        frames += 1
        end = start + time(of: frames)
    }
}
