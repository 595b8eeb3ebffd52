package import MPEGTS
import MediaTypes

/// Turns the media messages of one publisher into access units for a feed. It has no buffers: a message is one frame,
/// and its bytes are copied once, into the feed.
///
///     switch reader.take(header, bytes, now: now) {
///     case .unit(let unit, _): splicer.accept(unit, of: &writer, from: reader.unit(in: bytes), now: now)
///     …
///     }
///
/// It never waits: a keyframe becomes a unit at once, even if no audio has arrived and the publisher has announced
/// some. The decoding times of the units never go back, see ``MediaTimeline``.
package struct MediaReader {
    /// The content of a message.
    package enum Event: Sendable, Hashable {
        /// No unit: a header, a command, or a message with a fault, which is counted.
        case nothing
        /// A frame; ``MediaReader/unit(in:)`` gives its bytes.
        ///
        /// - Parameter isNewFormat: Whether it is the first video keyframe, or the first one with other parameter sets
        ///   or another codec than the previous one.
        case unit(AccessUnit, isNewFormat: Bool)
        /// Audio that has to be converted to AAC.
        case foreignAudio(ForeignAudioMessage)
        /// Video that a feed cannot carry. The publisher has to be rejected.
        case foreignVideo(VideoCoding)
    }

    /// A message of audio that a feed cannot carry.
    package struct ForeignAudioMessage: Sendable, Hashable {
        package var coding: AudioCoding
        /// Whether it is a header that a decoder needs before the first frame. Its time has no meaning.
        package var isHeader: Bool
        /// Its presentation time in ticks, on the timeline of the units.
        package var time: Int64
        /// The position of its bytes in the message.
        package var body: Range<Int>
    }

    /// The streams that have arrived so far. Audio is part of it from its first frame on, and not when it is announced.
    package private(set) var program: Program?
    /// The format in the parameter sets of the newest keyframe; `nil` before the first, and if they cannot be read.
    package private(set) var videoFormat: VideoFormat?
    /// The format in the newest audio header; `nil` before the first, and for codecs other than AAC.
    package private(set) var audioFormat: AudioFormat?
    package private(set) var faults = MediaFaults()
    /// The one format of AAC that is accepted; others have to be converted. `nil` accepts every format that a feed can
    /// carry.
    package var requiredAudioFormat: AACFormat?

    /// The largest size of a frame in a feed, in bytes.
    private let largestUnit: Int
    private var timeline = MediaTimeline()

    /// The present parameter sets; `nil` before the first header.
    private var sets: ParameterSets?
    /// The parameter sets of the newest header in another codec. They become valid with a keyframe in that codec.
    private var otherSets: ParameterSets?
    /// The parameter sets of the newest keyframe, in Annex B form.
    private var keyframeSets: [UInt8] = []
    private var needsKeyframe = true
    private var videoTimes = VideoTimes()

    private var grid: AudioGrid?
    private var lastAudio: Int64?
    /// The codec of the last accepted audio frame; `nil` before the first.
    private var audioCoding: AudioCoding?
    private var audioCodecChange = CodecChangeDetector<AudioCoding>()
    private var videoCodecChange = CodecChangeDetector<VideoCoding>()

    private var found: Found?

    /// The last unit: its position in its message, and the header before it.
    private struct Found {
        var unit: AccessUnit
        var size: Int
        var body: Range<Int>
        /// The ADTS header of audio.
        var header: UInt64 = 0
    }

    /// The shortest time between two audio frames in ticks: the resolution of FLV.
    private static let shortestAudioStep = MediaTimeline.tick

    /// - Parameter largestUnit: The largest size of a frame in a feed, in bytes.
    package init(largestUnit: Int = 8 << 20) {
        self.largestUnit = largestUnit
    }

    /// Takes a message of audio or video.
    ///
    /// - Parameters:
    ///   - bytes: The bytes of the message.
    ///   - now: When it arrived, in ticks of a clock that runs evenly and does not stop.
    package mutating func take(_ header: MessageHeader, _ bytes: Bytes, now: Int64) -> Event {
        found = nil
        guard !bytes.isEmpty else { return .nothing }
        do throws(MediaFault) {
            switch header.type {
            case MessageType.video: return try takeVideo(try VideoTag(bytes), header.timestamp, bytes, now)
            case MessageType.audio: return try takeAudio(try AudioTag(bytes), header.timestamp, bytes, now)
            default: return .nothing
            }
        } catch {
            faults.count(error)
            return .nothing
        }
    }

    /// The bytes of the last unit.
    ///
    /// - Parameter bytes: The bytes of its message, as given to ``take(_:_:now:)``; they may be at another address.
    /// - Precondition: The last message was a unit.
    package func unit(in bytes: Bytes) -> MediaUnit {
        guard let found else { preconditionFailure("the last message was no unit") }
        let body = Bytes(rebasing: bytes[found.body])
        let content: MediaUnit.Content
        switch found.unit.kind {
        case .audio: content = .audio(body, header: found.header)
        case .video:
            guard let sets else { preconditionFailure("there are no parameter sets") }
            content = .video(
                body, codec: sets.codec, lengthSize: sets.lengthSize, sets: found.unit.isKeyframe ? sets.annexB : [])
        }
        // The announced format counts as long as no other audio has arrived.
        let announced = audioCoding.map { $0 == .aac } ?? true ? audioFormat?.aac : nil
        return MediaUnit(
            found.unit, size: found.size, program: program, videoFormat: videoFormat, audioFormat: announced,
            content: content)
    }

    // MARK: Video

    private mutating func takeVideo(
        _ tag: VideoTag, _ timestamp: UInt32, _ bytes: Bytes, _ now: Int64
    ) throws(MediaFault) -> Event {
        // A command to a player is ignored, whatever codec it names.
        if tag.content == .other, tag.coding != .multitrack { return .nothing }
        let codec: VideoCodec
        switch tag.coding {
        case .h264: codec = .h264
        case .hevc: codec = .hevc
        default:
            guard bytes.count > tag.size else { throw .emptyUnit }
            guard videoCodecChange.note(tag.coding) else { throw .oddMessage }
            return .foreignVideo(tag.coding)
        }
        switch tag.content {
        case .other: return .nothing
        case .header:
            let read = try ParameterSets(codec, header: Bytes(rebasing: bytes[tag.size...]))
            if sets.map({ $0.codec == codec }) ?? true { sets = read } else { otherSets = read }
            return .nothing
        case .frame: return try takeFrame(tag, codec, timestamp, bytes, now)
        }
    }

    private mutating func takeFrame(
        _ tag: VideoTag, _ codec: VideoCodec, _ timestamp: UInt32, _ bytes: Bytes, _ now: Int64
    ) throws(MediaFault) -> Event {
        let isOther = sets?.codec != codec
        guard var sets = isOther ? otherSets : sets, sets.codec == codec else { throw .missingHeader }
        let body = Bytes(rebasing: bytes[tag.size...])
        faults.count(.emptyUnit, times: try NALUnits.check(body, lengthSize: sets.lengthSize))
        let scan = FrameScan(body, isMarked: tag.isKeyframe, sets: &sets)
        let isKeyframe = scan.isKeyframe && sets.isComplete
        // Parameter sets in a message of their own are kept, but they are not a frame.
        guard scan.hasSlice else {
            if isOther { otherSets = sets } else { self.sets = sets }
            return .nothing
        }
        guard isKeyframe || !(needsKeyframe || isOther) else { throw .missingKeyframe }
        let size =
            MediaUnit.delimiter(codec).count + scan.size
            + (isKeyframe ? sets.annexB.count : scan.parameterSetSize)
        guard size <= largestUnit else { throw .oversizedUnit }
        let time = timeline.place(.video, timestamp: timestamp, now: now)
        guard let times = videoTimes.place(time, composition: tag.compositionTime, isKeyframe: isKeyframe) else {
            // The frames after it may depend on it.
            needsKeyframe = true
            throw .lateTime
        }
        if times.isCorrected { faults.count(.compositionTime) }
        if isOther { otherSets = self.sets }
        self.sets = sets
        let isNewFormat = isKeyframe && (keyframeSets != sets.annexB || program?.video?.type.videoCodec != codec)
        if isNewFormat {
            keyframeSets = sets.annexB
            videoFormat = sets.videoFormat
            program = Program(
                video: StreamType(codec).map { Program.Stream(pid: FeedLayout.videoPID, type: $0) },
                audio: program?.audio)
        }
        needsKeyframe = false
        videoCodecChange.end()
        let unit = AccessUnit(
            kind: .video, pts: Ticks.onWire(times.pts), dts: Ticks.onWire(times.dts), isKeyframe: isKeyframe,
            duration: 0,
            byteCount: UnitPacker.byteCount(.video, size: size))
        found = Found(unit: unit, size: size, body: tag.size..<bytes.count)
        return .unit(unit, isNewFormat: isNewFormat)
    }

    // MARK: Audio

    private mutating func takeAudio(
        _ tag: AudioTag, _ timestamp: UInt32, _ bytes: Bytes, _ now: Int64
    ) throws(MediaFault) -> Event {
        guard tag.coding == .aac else {
            guard tag.content != .other || tag.coding == .multitrack else { return .nothing }
            guard bytes.count > tag.size else { throw .emptyUnit }
            let isSame = audioCoding.map { $0 == tag.coding } ?? true
            // A header alone is kept, and does not change the codec.
            guard isSame || tag.content == .header || audioCodecChange.note(tag.coding) else { throw .oddMessage }
            return foreign(tag, timestamp, bytes, now)
        }
        switch tag.content {
        case .other: return .nothing
        case .header:
            guard let format = AudioFormat(specificConfig: Bytes(rebasing: bytes[tag.size...])) else {
                throw .unreadableHeader
            }
            if format != audioFormat {
                audioFormat = format
                grid = AudioGrid(sampleRate: format.sampleRate, samplesPerFrame: format.samplesPerFrame)
            }
            return isAccepted(format) ? .nothing : foreign(tag, timestamp, bytes, now)
        case .frame:
            guard let audioFormat else { throw .missingHeader }
            guard bytes.count > tag.size else { throw .emptyUnit }
            guard isAccepted(audioFormat) else { return foreign(tag, timestamp, bytes, now) }
            return try takeFrame(tag, audioFormat, timestamp, bytes, now)
        }
    }

    private func isAccepted(_ format: AudioFormat) -> Bool {
        format.fitsADTS && requiredAudioFormat.map { $0 == format.aac } ?? true
    }

    private mutating func takeFrame(
        _ tag: AudioTag, _ format: AudioFormat, _ timestamp: UInt32, _ bytes: Bytes, _ now: Int64
    ) throws(MediaFault) -> Event {
        let count = bytes.count - tag.size
        guard count <= AudioFormat.largestFrame else { throw .oversizedUnit }
        let stated = timeline.place(.audio, timestamp: timestamp, duration: format.frameDuration, now: now)
        let pts = max(grid?.place(stated) ?? stated, lastAudio.map { $0 + Self.shortestAudioStep } ?? .min)
        guard pts - stated <= MediaTimeline.longestDelay else { throw .lateTime }
        lastAudio = pts
        audioCoding = .aac
        audioCodecChange.end()
        if program?.audio == nil {
            program = Program(video: program?.video, audio: .init(pid: FeedLayout.audioPID, type: .aac))
        }
        let size = count + AudioFormat.headerSize
        let unit = AccessUnit(
            kind: .audio, pts: Ticks.onWire(pts), dts: Ticks.onWire(pts), isKeyframe: false,
            duration: format.frameDuration, audioFormat: format.aac,
            byteCount: UnitPacker.byteCount(.audio, size: size))
        found = Found(unit: unit, size: size, body: tag.size..<bytes.count, header: format.header(size: count))
        return .unit(unit, isNewFormat: false)
    }

    /// Audio that has to be converted is removed from the program.
    private mutating func foreign(_ tag: AudioTag, _ timestamp: UInt32, _ bytes: Bytes, _ now: Int64) -> Event {
        let isHeader = tag.content == .header
        if !isHeader {
            audioCoding = tag.coding
            audioCodecChange.end()
            if let program { self.program = Program(video: program.video, audio: nil) }
        }
        let time = isHeader ? 0 : timeline.place(.audio, timestamp: timestamp, now: now)
        return .foreignAudio(
            ForeignAudioMessage(coding: tag.coding, isHeader: isHeader, time: time, body: tag.size..<bytes.count))
    }
}
