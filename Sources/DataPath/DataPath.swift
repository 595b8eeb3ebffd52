package import EventLoop
import Glibc
package import MPEGTS
package import MediaTypes
package import SystemPackage

/// Everything between the processes: feeds, splicers, pipes and taps of all channels, on one thread.
///
/// The data path knows nothing of processes. It gives the child's end of each pipe to its caller, reports what flows
/// and what does not, and carries on whatever happens at the other ends.
package actor DataPath {
    /// One source's inlet, encoder or publisher, for as long as its process runs.
    package struct Attachment: Sendable, Hashable {
        fileprivate let number: Int
    }

    /// A feed: a channel's own, or a group's.
    package enum FeedName: Sendable, Hashable {
        case channel(String)
        case group(String)
    }

    private let loop = EventLoop()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private var channels: [String: ChannelInput] = [:]
    private var groups: [String: GroupOutput] = [:]
    private var taps: [FeedName: Tap] = [:]
    private var lastNumber = 0
    private var detach: [Attachment: () -> Void] = [:]
    private var senders: [Attachment: FeedSender] = [:]
    private var unitReaders: [Attachment: any UnitReader] = [:]
    private var inputs: [Attachment: ChannelInput] = [:]
    private var converters: [Attachment: SoundConverter] = [:]
    private var publishers: [Attachment: Publisher] = [:]
    private var streams: [Attachment: FrameStream] = [:]
    private let limits: Feed.Limits
    private let tapPatience: Int64
    private let mostAhead: Int64
    private let frameBytes: Int
    /// In ticks.
    private let frameSpan: Int64

    /// - Parameters:
    ///   - limits: What each feed keeps.
    ///   - frameBytes: Bytes of frames that a source keeps at the most until their pictures have come out of an
    ///     encoder.
    ///   - frameSpan: How long a source keeps them at the most, from the first to the last.
    ///   - tapPatience: How long a client of a tap may take nothing though bytes wait; then it is dropped.
    ///   - mostAhead: How far a source may be ahead of real time before it is held back: less than a feed keeps,
    ///     so that no encoder and no target jumps over what comes at once.
    package init(
        limits: Feed.Limits = Feed.Limits(), frameBytes: Int = 256 << 20, frameSpan: Duration = .seconds(4),
        tapPatience: Duration = .seconds(10), mostAhead: Duration = .seconds(4)
    ) {
        self.limits = limits
        self.frameBytes = frameBytes
        self.frameSpan = Ticks.fromNanoseconds(frameSpan.wholeNanoseconds)
        self.tapPatience = tapPatience.wholeNanoseconds
        self.mostAhead = mostAhead.wholeNanoseconds
    }

    /// Returns once the thread that moves the packets is between two jobs.
    package func ping() {}

    /// Starts looking for what stalls. To be called once.
    ///
    /// The thread retains the data path until ``stop()``, so that nothing which a descriptor or a deadline refers to is
    /// freed while the thread runs.
    package func start() {
        loop.setTimer { [self] in assumeIsolated { $0.runTimers() } }
    }

    /// Closes everything and ends the thread.
    package func stop() {
        for detach in detach.values { detach() }
        detach = [:]
        for tap in taps.values { tap.close() }
        taps = [:]
        loop.stop()
    }

    // MARK: Feeds

    /// Adds a channel with an empty feed.
    ///
    /// - Parameters:
    ///   - patience: How long the source on air may be silent before another one takes over.
    ///   - slateDelay: How long the first source is waited for before the slate comes.
    ///   - changePatience: How long a source that takes the air waits for the last pictures of the one before.
    ///   - keepsSound: A group copies the channel's sound, which has one format therefore, see ``keepSound(_:of:)``.
    ///   - start: Where the channel's timeline begins, in ticks.
    package func addChannel(
        _ name: String, patience: Duration, slateDelay: Duration = .zero, changePatience: Duration = .milliseconds(500),
        keepsSound: Bool = false, start: Int64 = 10 * Ticks.perSecond
    ) {
        channels[name] = ChannelInput(
            hub: FeedHub(limits: limits, loop: loop), patience: patience.wholeNanoseconds,
            slateDelay: slateDelay.wholeNanoseconds, mostAhead: mostAhead,
            changePatience: changePatience.wholeNanoseconds,
            keepsSound: keepsSound, start: start, loop: loop)
    }

    /// Has a clip shown whenever no source of a channel delivers: the patience after the last picture, in real time,
    /// until a source takes the air.
    package func setSlate(_ clip: SlateClip, of channel: String, report: @escaping @Sendable (SlateEvent) -> Void) {
        channels[channel]?.setSlate(clip, report: report)
    }

    /// Adds a group with an empty feed. A group that passes its channel through needs none: it reads the channel's.
    package func addGroup(_ name: String) {
        groups[name] = GroupOutput(hub: FeedHub(limits: limits, loop: loop), loop: loop)
    }

    /// Forgets a channel. Its processes, taps and groups have to be gone.
    ///
    /// - Returns: What its feed had taken in.
    package func removeChannel(_ name: String) -> FeedFigures? { channels.removeValue(forKey: name)?.figures }

    /// Forgets a group. Its processes and tap have to be gone.
    ///
    /// - Returns: What its feed had taken in.
    package func removeGroup(_ name: String) -> FeedFigures? { groups.removeValue(forKey: name)?.figures }

    /// Changes how long a channel's source on air may be silent before another one takes over.
    package func setPatience(_ patience: Duration, of channel: String) {
        channels[channel]?.patience = patience.wholeNanoseconds
    }

    /// Changes whether a channel's sound has one format, silence included: a target does not follow when it changes.
    ///
    /// The first sound of a source decides which, and it stays for as long as the channel is there: AAC-LC, 44.1 or
    /// 48 kHz, stereo. A source with another one is told ``SourceEvent/otherSound(_:channel:)``, and silence stands in.
    package func keepSound(_ isKept: Bool, of channel: String) { channels[channel]?.keepsSound = isKept }

    /// The one format of a channel's sound; `nil` where it may be in any, before a source has decided, and where there
    /// is no such channel.
    package func soundFormat(of channel: String) -> AACFormat? { channels[channel]?.soundFormat }

    /// Closes a tap, with its clients; does nothing where there is none.
    package func closeTap(on feed: FeedName) {
        taps.removeValue(forKey: feed)?.close()
    }

    /// The picture in a feed; `nil` before the first, and when there is no such feed.
    package func videoFormat(of name: FeedName) -> VideoFormat? {
        switch name {
        case .channel(let name): channels[name]?.videoFormat
        case .group(let name): groups[name]?.videoFormat
        }
    }

    private func hub(_ name: FeedName) -> FeedHub {
        switch name {
        case .channel(let name): channels[name]!.hub
        case .group(let name): groups[name]!.hub
        }
    }

    /// Opens a feed on the loopback address, read only.
    ///
    /// - Parameter port: The port wanted; one of the next hundred is taken when it is not free.
    /// - Returns: The port.
    /// - Throws: ``DescriptorError`` when none of them is free.
    package func openTap(on feed: FeedName, port: Int) throws(DescriptorError) -> Int {
        let tap = try Tap(hub: hub(feed), port: port, loop: loop, patience: tapPatience)
        taps[feed] = tap
        return tap.port
    }

    // MARK: Processes

    /// A pipe from one process to another that the data path has no part in.
    ///
    /// - Returns: Both ends, owned by the caller; neither is passed on to children by itself.
    /// - Throws: ``DescriptorError``
    package static func pipe() throws(DescriptorError) -> (reading: FileDescriptor, writing: FileDescriptor) {
        let pipe = try Pipe(capacity: Pipe.frames)
        return (FileDescriptor(rawValue: pipe.reading), FileDescriptor(rawValue: pipe.writing))
    }

    /// Makes the pipe for the relay of a source.
    ///
    /// - Parameters:
    ///   - priority: 0 is the source most wanted; no two of a channel may be the same.
    ///   - isNew: It is another device than had this priority before, or the same one plugged in again.
    ///   - patience: How long it may show no picture before it counts as stalled; `nil` for the channel's patience
    ///     between two, and for a first picture that may take its time.
    /// - Returns: The end for the relay's standard output, owned by the caller.
    /// - Throws: ``DescriptorError``
    package func attachSource(
        to channel: String, priority: Int, isNew: Bool = false, patience: PicturePatience? = nil,
        report: @escaping @Sendable (SourceEvent) -> Void
    ) throws(DescriptorError) -> (Attachment, FileDescriptor) {
        let input = channels[channel]!
        let pipe = try Pipe()
        let unitReader = try makeReader(pipe, owner: input)
        let source = ChannelInput.Source(unitReader: unitReader, priority: priority, patience: patience, report: report)
        return (add(source, with: unitReader, to: input, isNew: isNew), FileDescriptor(rawValue: pipe.writing))
    }

    /// Takes in a source that no process relays.
    ///
    /// - Parameters:
    ///   - priority: 0 is the source most wanted; no two of a channel may be the same.
    ///   - makeInlet: Makes what reads it, on the data path's thread; `nil` where the system does not let it.
    /// - Throws: ``DescriptorError``
    package func attachSource(
        to channel: String, priority: Int, report: @escaping @Sendable (SourceEvent) -> Void,
        makeReader: @Sendable (any UnitReaderDelegate, EventLoop) -> (any UnitReader)?
    ) throws(DescriptorError) -> Attachment {
        let input = channels[channel]!
        guard let unitReader = makeReader(input, loop) else { throw .last("watch a connection") }
        let source = ChannelInput.Source(unitReader: unitReader, priority: priority, patience: nil, report: report)
        return add(source, with: unitReader, to: input, isNew: false)
    }

    private func add(
        _ source: ChannelInput.Source, with unitReader: any UnitReader, to input: ChannelInput, isNew: Bool
    ) -> Attachment {
        input.add(source, isNew: isNew)
        let attachment = attach { input.remove(unitReader) }
        unitReaders[attachment] = unitReader
        inputs[attachment] = input
        return attachment
    }

    /// A process that converts sound, and the ends for its standard input and output, owned by the caller.
    package struct SoundAttachment: Sendable {
        package var attachment: Attachment
        package var input: FileDescriptor
        package var output: FileDescriptor
        /// From which sample on it is to give sound, counted from the first message that it is given, where it
        /// continues what another one converted; `nil` for all of them.
        package var firstSample: Int64?
    }

    /// Makes the pipes for a process that converts a source's audio to AAC. It is given what the source's inlet writes
    /// to its ``AudioSink``, and its frames are the source's audio from then on. Nothing waits for it, see
    /// ``SoundEvent``.
    ///
    /// It continues the audio behind the last frame that another one gave. One that is late may run beside it.
    ///
    /// - Parameter sampleRate: In which it is converted.
    /// - Throws: ``DescriptorError``, or ``NothingToConvert`` when the source has ended.
    package func attachSound(
        of source: Attachment, sampleRate: Int = AACFormat.stereo48.sampleRate,
        report: @escaping @Sendable (SoundEvent) -> Void
    ) throws -> SoundAttachment {
        guard let input = inputs[source], let sourceReader = unitReaders[source] else { throw NothingToConvert() }
        let toProcess = try Pipe()
        guard let pipe = SoundPipe(toProcess.writing, loop: loop) else {
            let error = DescriptorError.last("watch a pipe")
            toProcess.close()
            throw error
        }
        let unitReader: PipeReader
        let fromProcess: Pipe
        do {
            fromProcess = try Pipe()
            unitReader = try makeReader(fromProcess, owner: input)
        } catch {
            pipe.close()
            close(toProcess.reading)
            throw error
        }
        let converter = SoundConverter(
            unitReader: unitReader, pipe: pipe, replayStart: input.soundReplayStart(of: sourceReader), loop: loop,
            report: report)
        let firstSample: Int64?
        do {
            firstSample = try input.add(converter, to: sourceReader, sampleRate: sampleRate)
        } catch {
            converter.close()
            close(toProcess.reading)
            close(fromProcess.writing)
            throw error
        }
        let attachment = attach { input.remove(converter) }
        unitReaders[attachment] = unitReader
        converters[attachment] = converter
        return SoundAttachment(
            attachment: attachment, input: FileDescriptor(rawValue: toProcess.reading),
            output: FileDescriptor(rawValue: fromProcess.writing), firstSample: firstSample)
    }

    /// The source has ended whose sound was to be converted.
    package struct NothingToConvert: Error, Sendable {}

    /// Where frames come from.
    package enum FrameOrigin: Sendable {
        /// The reader of a card: it writes NUT to one pipe, and its sound as MPEG-TS to another.
        case card(hasSound: Bool)
        /// A FIFO that another program writes to.
        case fifo(path: String, report: @Sendable (FIFOEvent) -> Void)
    }

    /// A source's frames, and the ends for its reader's picture and sound, owned by the caller.
    package struct FrameAttachment: Sendable {
        package var attachment: Attachment
        package var picture: FileDescriptor?
        package var sound: FileDescriptor?
    }

    /// Takes in the frames of a source, for encoders that are attached to it.
    ///
    /// - Parameters: As for ``attachSource(to:priority:isNew:patience:report:)``.
    /// - Throws: ``DescriptorError``
    package func attachFrames(
        _ layout: FrameLayout, from origin: FrameOrigin, to channel: String, priority: Int, isNew: Bool = false,
        patience: PicturePatience? = nil,
        report: @escaping @Sendable (SourceEvent) -> Void
    ) throws(DescriptorError) -> FrameAttachment {
        let input = channels[channel]!
        var result: FrameAttachment
        let stream: FrameStream
        switch origin {
        case .fifo(let path, let tell):
            stream = FrameStream(
                layout: layout, waits: true, mostBytes: frameBytes, longestSpan: frameSpan, owner: input, loop: loop)
            stream.setInput(try FIFOReader(path: path, layout: layout, owner: stream, loop: loop, report: tell))
            result = FrameAttachment(attachment: Attachment(number: 0))
        case .card(let hasSound):
            stream = FrameStream(
                layout: layout, waits: false, mostBytes: frameBytes, longestSpan: frameSpan, owner: input, loop: loop)
            let picture = try Pipe(capacity: Pipe.frames)
            guard let unitReader = CardFrameReader(picture.reading, layout: layout, owner: stream, loop: loop) else {
                let error = DescriptorError.last("watch a pipe")
                picture.close()
                throw error
            }
            stream.setInput(unitReader)
            result = FrameAttachment(
                attachment: Attachment(number: 0), picture: FileDescriptor(rawValue: picture.writing))
            if hasSound {
                do {
                    let sound = try Pipe()
                    stream.setSound(try makeReader(sound, owner: stream))
                    result.sound = FileDescriptor(rawValue: sound.writing)
                } catch {
                    stream.close()
                    Glibc.close(picture.writing)
                    throw error
                }
            }
        }
        input.add(
            ChannelInput.Source(frames: stream, priority: priority, patience: patience, report: report), isNew: isNew)
        result.attachment = attach { input.remove(stream) }
        streams[result.attachment] = stream
        return result
    }

    /// Takes no more frames of a source in: its encoder gives what it has, and ends.
    package func endFrames(of attachment: Attachment) { streams[attachment]?.endInput() }

    /// Makes the pipes for an encoder of frames.
    ///
    /// - Parameters:
    ///   - takesOver: From the encoder that runs, from one frame to the next once it is ready; false where it begins
    ///     with the first frame whose picture is missing.
    ///   - startPatience: How long it may owe its first picture.
    ///   - frameDuration: From one frame to the next in real time; `nil` where their own times tell.
    /// - Returns: The ends for the encoder's standard input and output, owned by the caller.
    /// - Throws: ``DescriptorError``, or ``NothingToTakeOver`` when no encoder runs, or nothing is left to be encoded.
    package func attachEncoder(
        ofFrames frames: Attachment, takesOver: Bool, startPatience: Duration, frameDuration: Duration? = nil,
        report: @escaping @Sendable (EncoderEvent) -> Void
    ) throws -> (Attachment, input: FileDescriptor, output: FileDescriptor) {
        guard let stream = streams[frames], !stream.isOver, !takesOver || stream.hasCurrent else {
            throw NothingToTakeOver()
        }
        let toEncoder = try Pipe(capacity: Pipe.frames)
        guard let sender = FrameSender(toEncoder.writing, layout: stream.layout, owner: stream, loop: loop) else {
            let error = DescriptorError.last("watch a pipe")
            toEncoder.close()
            throw error
        }
        let unitReader: PipeReader
        let fromEncoder: Pipe
        do {
            fromEncoder = try Pipe()
            unitReader = try makeReader(fromEncoder, owner: stream)
        } catch {
            sender.close()
            close(toEncoder.reading)
            throw error
        }
        let generation = FrameStream.Generation(
            unitReader: unitReader, sender: sender, frameDuration: frameDuration?.wholeNanoseconds,
            patience: startPatience.wholeNanoseconds, report: report)
        let attachment = attach { stream.remove(unitReader) }
        unitReaders[attachment] = unitReader
        stream.add(generation, takesOver ? .whenReady : .atOnce)
        return (attachment, FileDescriptor(rawValue: toEncoder.reading), FileDescriptor(rawValue: fromEncoder.writing))
    }

    /// Where a group's encoder has to go on.
    package struct Resumption: Sendable, Hashable {
        /// The time from which on a picture is one that the group feed does not have, on the channel's timeline in
        /// ticks; `nil` at the first start.
        package var video: Int64?
        /// Likewise for sound.
        package var audio: Int64?
        /// Half of the time from one picture to the next, in ticks: where the next picture may come at another pace, it
        /// has to keep this distance from the last.
        package var halfFrame: Int64
        /// The picture of the source on air.
        package var videoFormat: VideoFormat?
        /// What is on air is the slate.
        package var isSlate: Bool
        /// The first decoding time that the encoder will be fed, unless a keyframe comes first.
        package var first: Int64?
    }

    /// Where the next generation of a group's encoder has to begin; to be asked before it is attached.
    package func resumption(of group: String, in channel: String) -> Resumption {
        let tail = groups[group]!.tail
        let feed = channels[channel]!.hub.feed
        return Resumption(
            // Any later picture is a new one: where times are rounded to milliseconds, the next may come sooner than
            // the last did.
            video: tail.videoDTS.map { $0 + 1 }, audio: tail.audioEnd, halfFrame: tail.frameDuration / 2,
            videoFormat: channels[channel]!.videoFormat, isSlate: channels[channel]!.showsSlate,
            first: tail.replayStart.flatMap { feed.makeReader(notAfter: $0).firstEntry?.dts })
    }

    /// Where a group's next encoder can take over from the one that runs: a little ahead of what the channel has.
    ///
    /// - Parameter lead: How far ahead; as long as the next encoder takes to be ready.
    /// - Returns: `nil` when none runs that has given a picture.
    package func takeover(of group: String, in channel: String, lead: Duration) -> Takeover? {
        let output = groups[group]!
        guard output.hasCurrent, let newest = channels[channel]!.hub.feed.newestDTS,
            let end = output.tail.audioEnd ?? output.tail.videoDTS
        else { return nil }
        return Takeover(
            video: newest + Ticks.fromNanoseconds(lead.wholeNanoseconds), audioGrid: end,
            videoFormat: channels[channel]!.videoFormat,
            isSlate: channels[channel]!.showsSlate,
            first: channels[channel]!.hub.feed.makeReader(notAfter: .max).firstEntry?.dts)
    }

    /// A place ahead of what has been sent.
    package struct Takeover: Sendable, Hashable {
        /// On the channel's timeline, in ticks.
        package var video: Int64
        /// A time on the grid of the running encoder's frames of sound, in ticks.
        package var audioGrid: Int64
        /// The picture of the source on air.
        package var videoFormat: VideoFormat?
        /// What is on air is the slate.
        package var isSlate: Bool
        /// The first decoding time that the encoder will be fed, unless a keyframe comes first.
        package var first: Int64?
    }

    /// How long an encoder may go on taking bytes without giving a picture.
    package static let encoderPatience = Duration.seconds(2)

    /// Makes the pipes for an encoder: from the channel feed, at the newest keyframe at or before the place where the
    /// group feed ends, to the group feed.
    ///
    /// - Parameters:
    ///   - needsKeyframe: The encoder encodes the picture anew; false where it copies it.
    ///   - copiesSound: It passes the channel's sound on.
    ///   - cut: Where it takes over from the encoder that runs, which is to give everything before; `nil` for an
    ///     encoder that begins where the group feed ends.
    ///   - startPatience: How long it may take pictures before it gives its first one.
    ///   - isFresh: It begins with what comes now: the group was not wanted for a while, and what it missed is not
    ///     missing.
    /// - Returns: The ends for the encoder's standard input and output, owned by the caller.
    /// - Throws: ``DescriptorError``; where there is a cut, ``NothingToTakeOver`` when no encoder runs, and
    ///   ``PassedBy``.
    package func attachEncoder(
        to group: String, in channel: String, needsKeyframe: Bool, copiesSound: Bool = false,
        takingOverAt cut: Splicer.Cut? = nil, isFresh: Bool = false,
        startPatience: Duration = DataPath.encoderPatience, report: @escaping @Sendable (EncoderEvent) -> Void
    ) throws -> (Attachment, input: FileDescriptor, output: FileDescriptor) {
        let output = groups[group]!
        let source = channels[channel]!.hub
        if let cut {
            guard output.hasCurrent else { throw NothingToTakeOver() }
            // The encoder would be fed from a keyframe behind it, perhaps, and nobody give what lies between.
            if let newest = source.feed.newestDTS, newest >= cut.video { throw PassedBy() }
        }
        let start = isFresh ? nil : cut.map { _ in .max } ?? output.tail.replayStart
        let reader = start.map { source.feed.makeReader(notAfter: $0) } ?? source.feed.makeReader()
        let toEncoder = try Pipe()
        let fromEncoder: Pipe
        do {
            fromEncoder = try Pipe()
        } catch {
            close(toEncoder.reading)
            close(toEncoder.writing)
            throw error
        }
        let input = try makeSender(toEncoder, reader: reader, hub: source) { _ in }
        let unitReader: PipeReader
        do {
            unitReader = try makeReader(fromEncoder, owner: output)
        } catch {
            input.close()
            close(toEncoder.reading)
            throw error
        }
        let near =
            cut?.video ?? (isFresh ? source.feed.newestDTS : nil) ?? output.tail.videoDTS ?? source.feed.newestDTS ?? 0
        var writer = Splicer.Writer(.resuming(near: near, needsKeyframe: needsKeyframe))
        writer.isAfterPause = isFresh
        // What it is given is in this one until an era of the channel's feed ends it.
        if copiesSound { writer.audioFormat = channels[channel]!.soundInFeed }
        let generation = GroupOutput.Generation(
            unitReader: unitReader, input: input, source: source, writer: writer,
            patience: startPatience.wholeNanoseconds,
            report: report)
        if let cut { _ = output.addSuccessor(generation, at: cut) } else { output.add(generation) }
        let attachment = attach { output.remove(unitReader) }
        unitReaders[attachment] = unitReader
        senders[attachment] = input
        input.flush()
        return (attachment, FileDescriptor(rawValue: toEncoder.reading), FileDescriptor(rawValue: fromEncoder.writing))
    }

    /// There is no encoder to take over from.
    package struct NothingToTakeOver: Error, Sendable {}
    /// The channel is behind the place already where an encoder was to take over: another one is to be asked for.
    package struct PassedBy: Error, Sendable {}

    /// Makes the pipe for a publisher, from the newest keyframe of a feed on.
    ///
    /// - Parameter isPaced: It is served with several pictures at a time, which costs less; false for a target that
    ///   sends each on as it comes and has nothing that evens them out, such as SRT. What that reads at once is a
    ///   datagram, so it is given whole packets.
    /// - Returns: The end for the publisher's standard input, owned by the caller.
    /// - Throws: ``DescriptorError``
    package func attachPublisher(
        to feed: FeedName, isPaced: Bool = true, report: @escaping @Sendable (PublisherEvent) -> Void
    ) throws(DescriptorError) -> (Attachment, FileDescriptor) {
        let hub = hub(feed)
        let pipe = try Pipe()
        let sender = try makeSender(
            pipe, reader: hub.feed.makeReader(), hub: hub, pace: isPaced ? Publisher.pace : 0, keepsPackets: !isPaced
        ) { _ in report(.ended) }
        let publisher = Publisher(sender: sender, feed: hub.feed, report: report)
        let attachment = attach { sender.close() }
        senders[attachment] = sender
        publishers[attachment] = publisher
        loop.arm(for: DeliveryWatch.next(after: EventLoop.now()))
        sender.flush()
        return (attachment, FileDescriptor(rawValue: pipe.reading))
    }

    /// Ends the input of an encoder, a publisher or a process that converts sound: it writes what it has, and exits.
    package func endInput(of attachment: Attachment) {
        // What it was given counts until it is detached.
        senders[attachment]?.finish()
        converters[attachment]?.finish()
    }

    /// Takes what a source's relay, which has ended, left in its pipe.
    ///
    /// - Returns: Whether some of it has to wait, because the source is ahead of real time: to be called again then.
    package func drain(_ attachment: Attachment) -> Bool {
        guard let unitReader = unitReaders[attachment] else { return false }
        unitReader.drain()
        return unitReader.isBehind
    }

    /// Takes what the process, which has ended, left in its pipe, and closes the daemon's ends.
    package func detach(_ attachment: Attachment) {
        unitReaders.removeValue(forKey: attachment)?.drain()
        senders[attachment] = nil
        publishers[attachment] = nil
        streams[attachment] = nil
        inputs[attachment] = nil
        converters[attachment] = nil
        detach.removeValue(forKey: attachment)?()
    }

    private func attach(_ close: @escaping () -> Void) -> Attachment {
        lastNumber += 1
        let attachment = Attachment(number: lastNumber)
        detach[attachment] = close
        return attachment
    }

    private func makeReader(_ pipe: Pipe, owner: any UnitReaderDelegate) throws(DescriptorError) -> PipeReader {
        if let unitReader = PipeReader(pipe.reading, owner: owner, loop: loop) { return unitReader }
        let error = DescriptorError.last("watch a pipe")
        close(pipe.reading)
        close(pipe.writing)
        throw error
    }

    private func makeSender(
        _ pipe: Pipe, reader: FeedReader, hub: FeedHub, pace: Int64 = 0, keepsPackets: Bool = false,
        onEnd: @escaping (FeedSender.Ending) -> Void
    ) throws(DescriptorError) -> FeedSender {
        let sender = FeedSender(
            pipe.writing, reader: reader, hub: hub, loop: loop, pace: pace, keepsPackets: keepsPackets
        ) { onEnd($1) }
        if let sender { return sender }
        let error = DescriptorError.last("watch a pipe")
        close(pipe.reading)
        close(pipe.writing)
        throw error
    }

    // MARK: Figures

    /// How a publisher's or encoder's input stands.
    package struct FeedSenderFigures: Sendable, Hashable {
        /// Bytes delivered to the process.
        package var delivered: Int
        /// Jumps to the newest keyframe.
        package var skips: Int
        /// Ticks of stream that they passed over.
        package var skippedTicks: Int64
        /// Bytes that wait.
        package var lag: Int
    }

    /// What a feed has taken in.
    package struct FeedFigures: Sendable, Hashable {
        /// Pictures.
        package var frames = 0
        /// Pictures that the channel had and its encoders did not give.
        package var lostFrames = 0
        /// How often an encoder fell behind the channel's feed and was given the newest keyframe.
        package var skips = 0
        /// Bytes of transport stream.
        package var bytes = 0
        /// Bytes of picture and sound, without what carries them.
        package var mediaBytes = 0
        /// Where it ends on the channel's timeline, in ticks; `nil` while it is empty.
        package var end: Int64?

        package init(
            frames: Int = 0, lostFrames: Int = 0, skips: Int = 0, bytes: Int = 0, mediaBytes: Int = 0, end: Int64? = nil
        ) {
            self.frames = frames
            self.lostFrames = lostFrames
            self.skips = skips
            self.bytes = bytes
            self.mediaBytes = mediaBytes
            self.end = end
        }
    }

    /// What the pictures of a feed are in now; `nil` before the first, and when there is no such feed.
    package func videoCodec(of feed: FeedName) -> VideoCodec? {
        switch feed {
        case .channel(let name): channels[name]?.videoCodec
        case .group(let name): groups[name]?.videoCodec
        }
    }

    /// - Returns: `nil` when there is no such group.
    package func figures(ofGroup name: String) -> FeedFigures? { groups[name]?.figures }

    /// - Returns: `nil` when there is no such channel.
    package func figures(ofChannel name: String) -> FeedFigures? { channels[name]?.figures }

    /// - Returns: `nil` when the attachment is no publisher's or is closed.
    package func figures(of attachment: Attachment) -> FeedSenderFigures? {
        senders[attachment].map {
            FeedSenderFigures(
                delivered: $0.reader.delivered, skips: $0.reader.skips, skippedTicks: $0.reader.skipped.ticks,
                lag: $0.reader.lag)
        }
    }

    /// The same of several; those that have none are left out.
    package func figures(of attachments: [Attachment]) -> [Attachment: FeedSenderFigures] {
        attachments.reduce(into: [:]) { all, attachment in all[attachment] = figures(of: attachment) }
    }

    /// Flushes and reports what is due.
    ///
    /// - Returns: When to call again at the latest; `.max` for never.
    private func runTimers() -> Int64 {
        let now = EventLoop.now()
        var next = Int64.max
        for channel in channels.values { next = min(next, channel.runTimers(now: now)) }
        for group in groups.values { next = min(next, group.runTimers(now: now)) }
        for publisher in publishers.values { next = min(next, publisher.runTimers(now: now)) }
        for tap in taps.values { next = min(next, tap.runTimers(now: now)) }
        return next
    }
}

extension Splicer.Tail {
    /// The time at or before which the keyframe lies from which an encoder that resumes must be fed.
    ///
    /// Sound ends earlier in a group feed than the picture does, by what its encoder still held; and in the channel
    /// feed it stands next to pictures of about the same time. What is missing of it must not lie before the keyframe.
    var replayStart: Int64? {
        guard let videoPTS else { return nil }
        let video = videoPTS + frameDuration
        guard let audioEnd else { return video }
        return max(min(video, audioEnd - Ticks.perSecond / 10), video - Ticks.perSecond)
    }
}
