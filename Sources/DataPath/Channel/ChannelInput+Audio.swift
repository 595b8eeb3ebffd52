import EventLoop
import MPEGTS

// The format of the channel's audio, and the audio converters of its sources.
extension ChannelInput {
    /// Whether the channel's audio has one format, because a group copies it.
    var keepsAudioFormat: Bool {
        get { audio.isKept }
        set {
            guard newValue != audio.isKept else { return }
            audio.isKept = newValue
            announceAudioFormat()
        }
    }

    /// The one format of the channel's audio; `nil` where the channel accepts any format, or no audio has come.
    var audioFormat: AACFormat? { audio.kept }
    /// The format that the feed already has. The feed changes to ``audioFormat`` at a keyframe.
    var audioFormatInFeed: AACFormat? { audio.isKept ? splicer.audioFormat : nil }

    /// Gives every source the audio format that the channel requires from now on.
    func announceAudioFormat() {
        for source in sources { source.keepAudioFormat(audio.kept) }
    }

    /// Checks whether a unit of audio can enter the feed as it is, and reports a source whose audio cannot.
    func takesAudio(_ unit: AccessUnit, of source: ChannelSource) -> Bool {
        guard let kept = audio.kept else { return true }
        // A unit without a clear format is not used, and does not count as another format.
        guard let format = unit.audioFormat else { return false }
        guard format != kept else {
            source.otherAudioFormat.isOver()
            return true
        }
        if source.otherAudioFormat.note(format), !source.convertsAudio {
            source.report(.otherAudioFormat(format, channel: kept))
        }
        return false
    }

    /// Watches for audio of the source on air that the splicer rejects. Called after the splicer got a unit of it.
    func watchAudio(of source: ChannelSource, isTaken: Bool) {
        if isTaken { return source.forgetLateAudio() }
        guard let lag = splicer.refusedLag, let frame = tail.videoPTS else { return }
        source.noteLateAudio(lag: lag, beside: frame)
    }

    // MARK: Converters

    /// The time of the first message for the next audio converter of a source; `nil` where no converter got any.
    ///
    /// - Parameter unitReader: The source's own.
    func audioReplayStart(of unitReader: any UnitReader) -> Int64? {
        source(of: unitReader)?.audioResumption.replayStart
    }

    /// Adds an audio converter to a source. Where another converter is late, the first one that gives audio continues.
    ///
    /// - Parameters:
    ///   - unitReader: The source's own.
    ///   - sampleRate: The sample rate of the converted audio.
    /// - Returns: The first sample that the process has to output, counted from the first message of its input; `nil`
    ///   where it has to output all samples.
    /// - Throws: ``DataPath/NothingToConvert`` where that source is gone.
    func add(
        _ converter: AudioConverter, to unitReader: any UnitReader, sampleRate: Int
    ) throws(DataPath.NothingToConvert) -> Int64? {
        guard let source = source(of: unitReader) else { throw DataPath.NothingToConvert() }
        source.add(converter)
        // The source waits to go on air.
        if change?.to === source { converter.hold() }
        return converter.first.flatMap { source.audioResumption.firstSample(from: $0, sampleRate: sampleRate) }
    }

    /// Removes a converter whose process has ended, or is no longer wanted.
    func remove(_ converter: AudioConverter) {
        self.converter(of: converter.unitReader)?.source.remove(converter)
        converter.close()
    }

    func takeConverted(
        _ unit: AccessUnit, of unitReader: any UnitReader, from parser: borrowing some UnitSource & ~Copyable,
        now: Int64
    ) {
        guard unit.kind == .audio, let (source, converter) = converter(of: unitReader),
            let time = converter.took(unit.pts), let program = source.program, change?.to !== source
        else { return }
        // The converter was started before the format of the channel's audio was decided.
        if let kept = audio.kept, let format = unit.audioFormat, format != kept { return converter.isOutdated() }
        guard source.audioResumption.take(time, duration: unit.duration) else { return }
        converter.delivers()
        source.prefer(converter)
        var unit = unit
        unit.pts = Ticks.onWire(time)
        unit.dts = unit.pts
        take(unit, of: source, from: parser, program: source.converted(program), now: now)
    }

    func converter(of unitReader: any UnitReader) -> (source: ChannelSource, converter: AudioConverter)? {
        for source in sources {
            if let converter = source.converters.first(where: { $0.unitReader === unitReader }) {
                return (source, converter)
            }
        }
        return nil
    }
}
