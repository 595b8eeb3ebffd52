import EventLoop
import MPEGTS

/// A source of a channel, as ``ChannelInput`` keeps it.
final class ChannelSource {
    /// `nil` where the service has the frames themselves.
    let unitReader: (any UnitReader)?
    /// The uncompressed frames and their encoders.
    let frames: FrameStream?
    let priority: Int
    let patience: FramePatience?
    let report: @Sendable (SourceEvent) -> Void
    let added = EventLoop.now()
    var writer = Splicer.Writer(.following)
    /// When a frame last came, in nanoseconds of the monotonic clock.
    var lastFrame: Int64?
    var isStalled = false
    var frameCount = 0
    var meter = FrameRateMeter()
    /// The announced video format, with the measured frame rate.
    var videoFormat: VideoFormat?
    /// The last format that was reported.
    var reportedFormat: VideoFormat?
    /// Whether the next keyframe has other parameter sets, with the same contents or others.
    var beginsFormat = false
    /// Whether a feed does not carry the source's streams. Its relay is about to be replaced by one that encodes.
    var isForeign = false
    /// The last program that the reader announced.
    var program: Program?
    /// The converters of the source's audio: none, one, or a late one and another that was started beside it.
    private(set) var converters: [AudioConverter] = []
    /// Where the next converter continues.
    var audioResumption = AudioResumption()
    var otherAudioFormat = OtherAudioFormat()
    /// Valid while the source is on air.
    private var lateAudio = LateAudio()
    /// Whether the reader itself checks whether the audio has the channel's format.
    private(set) var convertsAudio = false

    /// - Parameter patience: `nil` uses the channel's patience, and sets no limit for the first frame.
    init(
        unitReader: (any UnitReader)? = nil, frames: FrameStream? = nil, priority: Int, patience: FramePatience?,
        report: @escaping @Sendable (SourceEvent) -> Void
    ) {
        self.unitReader = unitReader
        self.frames = frames
        self.priority = priority
        self.patience = patience
        self.report = report
    }

    func close() {
        unitReader?.close()
        frames?.close()
        for converter in converters { converter.close() }
    }

    /// Another source goes on air.
    func goOffAir() {
        forgetLateAudio()
        report(.offAir)
    }

    /// Keeps the unit that the channel gets at present, and the input behind it. The channel gets the unit once more
    /// after ``release()``.
    func keep() {
        unitReader?.keep()
        frames?.keep()
        for converter in converters { converter.hold() }
    }

    func release() {
        unitReader?.release()
        frames?.release()
        for converter in converters { converter.release() }
    }

    /// When the source counts as stalled unless a frame comes; `nil` while there is no limit.
    func stalls(channelPatience: Int64) -> Int64? {
        lastFrame.map { $0 + (patience?.next ?? channelPatience) } ?? patience.map { added + $0.first }
    }
}

// Audio.
extension ChannelSource {
    /// Checks a rejected unit of audio for a lag that has to be reported.
    func noteLateAudio(lag: Int64, beside frame: Int64) {
        if let lag = lateAudio.refuse(lag: lag, beside: frame) { report(.lateAudio(lag)) }
    }

    /// The source's audio was accepted, or the check begins again with the next unit.
    func forgetLateAudio() {
        if lateAudio.isOver() { report(.lateAudio(nil)) }
    }

    /// Has a converter convert the audio, from the end of the last accepted frame on.
    func add(_ converter: AudioConverter) {
        converters.append(converter)
        unitReader?.addConverter(converter)
    }

    /// Removes a converter that has ended, or is no longer used.
    func remove(_ converter: AudioConverter) {
        guard let index = converters.firstIndex(where: { $0 === converter }) else { return }
        converters.remove(at: index)
        unitReader?.removeConverter(converter)
        audioResumption.ended(first: converter.first)
    }

    /// Removes all converters: their output is ignored, because other audio arrives, or audio that a feed carries.
    func forgetConverters() {
        for converter in converters { unitReader?.removeConverter(converter) }
        converters = []
        audioResumption = AudioResumption()
    }

    /// Stops the other converter after a frame of this one has continued the audio.
    func prefer(_ converter: AudioConverter) {
        guard converters.count > 1, let newest = converters.last else { return }
        let isNewest = converter === newest
        // Where the late converter is about to be late again, the other one is needed.
        guard isNewest || converter.keepsUp else { return }
        for other in converters where other !== converter {
            remove(other)
            other.leave(isNewest ? .replaced : .unneeded)
        }
    }

    /// Adds the converted audio to the source's program. Converted audio arrives a moment later than the video, and
    /// silence must not replace it. Where the converter has ended, the next one gives this audio, and a splicer knows
    /// how long to wait for it.
    func converted(_ program: Program) -> Program {
        guard program.audio == nil, !converters.isEmpty || audioResumption.end != nil else { return program }
        return Program(video: program.video, audio: .init(pid: 0, type: .aac))
    }

    /// Sets the format of the channel's audio; `nil` where the channel accepts any format.
    func keepAudioFormat(_ format: AACFormat?) {
        otherAudioFormat.isOver()
        convertsAudio = unitReader?.convertsAudio(to: format) ?? false
    }
}
