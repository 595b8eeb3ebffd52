import EventLoop
package import MPEGTS
package import SystemPackage

// Groups and their encoders.
extension DataPath {
    /// Adds a group with an empty feed. A group that passes its channel through needs none: its targets read the
    /// channel's feed.
    package func addGroup(_ name: String) {
        groups[name] = GroupOutput(hub: FeedHub(limits: limits, loop: loop), loop: loop)
    }

    /// Removes a group. Its processes and tap have to be gone.
    ///
    /// - Returns: The figures of its feed.
    package func removeGroup(_ name: String) -> FeedFigures? { groups.removeValue(forKey: name)?.figures }

    /// The place where a group's next encoder has to continue.
    package struct Resumption: Sendable, Hashable {
        /// The time from which on the group feed has no frame, on the channel's timeline in ticks; `nil` at the first
        /// start.
        package var video: Int64?
        /// The same time for audio.
        package var audio: Int64?
        /// Half of the time between two frames, in ticks. Where the next frame may come at another rate, it has to
        /// keep this distance from the last one.
        package var halfFrame: Int64
        /// The video format of the source on air.
        package var videoFormat: VideoFormat?
        /// Whether the slate is on air.
        package var isSlate: Bool
        /// The first decoding time of the encoder's input, unless a keyframe comes first.
        package var first: Int64?
    }

    /// A place ahead of the newest frame.
    package struct Takeover: Sendable, Hashable {
        /// On the channel's timeline, in ticks.
        package var video: Int64
        /// A time on the grid of the running encoder's audio frames, in ticks.
        package var audioGrid: Int64
        /// The video format of the source on air.
        package var videoFormat: VideoFormat?
        /// Whether the slate is on air.
        package var isSlate: Bool
        /// The first decoding time of the encoder's input, unless a keyframe comes first.
        package var first: Int64?
    }

    /// There is no encoder to take over from.
    package struct NothingToTakeOver: Error, Sendable {}
    /// The channel has already passed the place where an encoder was to take over. The caller has to ask for another
    /// place.
    package struct PassedBy: Error, Sendable {}

    /// How long an encoder may take bytes without giving a frame.
    package static let encoderPatience = Duration.seconds(2)

    /// The place where the next generation of a group's encoder has to begin. Ask for it before the encoder is
    /// attached.
    ///
    /// - Returns: `nil` when there is no such group or channel.
    package func resumption(of group: String, in channel: String) -> Resumption? {
        guard let tail = groups[group]?.tail, let input = channels[channel] else { return nil }
        let feed = input.hub.feed
        return Resumption(
            // Any later frame is a new one. Where times are rounded to milliseconds, the next frame may come sooner
            // than the last one did.
            video: tail.videoDTS.map { $0 + 1 }, audio: tail.audioEnd, halfFrame: tail.frameDuration / 2,
            videoFormat: input.videoFormat, isSlate: input.showsSlate,
            first: tail.replayStart.flatMap { feed.makeReader(notAfter: $0).firstEntry?.dts })
    }

    /// The place where a group's next encoder can take over from the running one: a little ahead of the channel's feed.
    ///
    /// - Parameter lead: How far ahead: as long as the next encoder takes to be ready.
    /// - Returns: `nil` when no running encoder has given a frame, and when there is no such group or channel.
    package func takeover(of group: String, in channel: String, lead: Duration) -> Takeover? {
        guard let output = groups[group], let input = channels[channel] else { return nil }
        let feed = input.hub.feed
        guard output.hasCurrent, let newest = feed.newestDTS, let end = output.tail.audioEnd ?? output.tail.videoDTS
        else { return nil }
        return Takeover(
            video: newest + Ticks.fromNanoseconds(lead.wholeNanoseconds), audioGrid: end,
            videoFormat: input.videoFormat, isSlate: input.showsSlate,
            first: feed.makeReader(notAfter: .max).firstEntry?.dts)
    }

    /// Makes the pipes for an encoder. It reads the channel feed from the newest keyframe at or before the place where
    /// the group feed ends, and writes to the group feed.
    ///
    /// - Parameters:
    ///   - needsKeyframe: The encoder encodes the video; false where it copies it.
    ///   - copiesAudio: The encoder copies the channel's audio.
    ///   - cut: Where the encoder takes over from the running one, which gives everything before it; `nil` for an
    ///     encoder that begins where the group feed ends.
    ///   - startPatience: How long the encoder may take frames before it gives its first one.
    ///   - isFresh: The encoder begins with the newest frame: the group was not wanted for a while, and the frames
    ///     of that time do not count as lost.
    /// - Returns: The ends for the encoder's standard input and output, owned by the caller.
    /// - Throws: ``DescriptorError``, or ``UnknownFeed`` where there is no such group or channel. Where there is a
    ///   cut, ``NothingToTakeOver`` when no encoder runs, and ``PassedBy``.
    package func attachEncoder(
        to group: String, in channel: String, needsKeyframe: Bool, copiesAudio: Bool = false,
        takingOverAt cut: Splicer.Cut? = nil, isFresh: Bool = false,
        startPatience: Duration = DataPath.encoderPatience, report: @escaping @Sendable (EncoderEvent) -> Void
    ) throws -> (Attachment, input: FileDescriptor, output: FileDescriptor) {
        let output = try self.group(group)
        let channel = try self.channel(channel)
        let source = channel.hub
        if let cut {
            guard output.hasCurrent else { throw NothingToTakeOver() }
            // The encoder's input would perhaps begin at a keyframe behind the cut, and the frames between would be
            // missing.
            if let newest = source.feed.newestDTS, newest >= cut.video { throw PassedBy() }
        }
        let start = isFresh ? nil : cut.map { _ in .max } ?? output.tail.replayStart
        let feedReader = start.map { source.feed.makeReader(notAfter: $0) } ?? source.feed.makeReader()
        let pipes = try ProcessPipes()
        let (input, unitReader) = try pipes.watch(owner: output, loop: loop) {
            FeedSender($0, reader: feedReader, hub: source, loop: loop) { _, _ in }
        }
        let near =
            cut?.video ?? (isFresh ? source.feed.newestDTS : nil) ?? output.tail.videoDTS ?? source.feed.newestDTS ?? 0
        var writer = Splicer.Writer(.resuming(near: near, needsKeyframe: needsKeyframe))
        writer.isAfterPause = isFresh
        // The encoder's input has this format until an era of the channel's feed ends it.
        if copiesAudio { writer.audioFormat = channel.audioFormatInFeed }
        let generation = GroupOutput.Generation(
            unitReader: unitReader, input: input, source: source, writer: writer,
            patience: startPatience.wholeNanoseconds, report: report)
        if let cut { _ = output.addSuccessor(generation, at: cut) } else { output.add(generation) }
        let attachment = attach(.encoder(unitReader, input: input, of: output))
        input.flush()
        return (attachment, pipes.processInput, pipes.processOutput)
    }
}

extension Splicer.Tail {
    /// The keyframe from which a resuming encoder has to read lies at or before this time.
    ///
    /// In a group feed the audio ends earlier than the video, by what its encoder still held. In the channel feed audio
    /// stands next to video of about the same time. The missing audio must not lie before the keyframe.
    var replayStart: Int64? {
        guard let videoPTS else { return nil }
        let video = videoPTS + frameDuration
        guard let audioEnd else { return video }
        return max(min(video, audioEnd - Ticks.perSecond / 10), video - Ticks.perSecond)
    }
}
