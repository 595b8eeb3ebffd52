package import EventLoop
package import MPEGTS
package import SystemPackage

// Channels and their sources.
extension DataPath {
    /// Adds a channel with an empty feed.
    ///
    /// - Parameters:
    ///   - patience: How long the source on air may be silent before another one takes over.
    ///   - slateDelay: How long the channel waits for its first source before it shows the slate.
    ///   - changePatience: How long a source that goes on air waits for the last frames of the previous source.
    ///   - keepsAudioFormat: A group copies the channel's audio, so the audio has one format, see
    ///     ``keepAudioFormat(_:of:)``.
    ///   - start: Where the channel's timeline begins, in ticks.
    package func addChannel(
        _ name: String, patience: Duration, slateDelay: Duration = .zero, changePatience: Duration = .milliseconds(500),
        keepsAudioFormat: Bool = false, start: Int64 = 10 * Ticks.perSecond
    ) {
        channels[name] = ChannelInput(
            hub: FeedHub(limits: limits, loop: loop), patience: patience.wholeNanoseconds,
            slateDelay: slateDelay.wholeNanoseconds, mostAhead: mostAhead,
            changePatience: changePatience.wholeNanoseconds,
            keepsAudioFormat: keepsAudioFormat, start: start, loop: loop)
    }

    /// Removes a channel. Its processes, taps and groups have to be gone.
    ///
    /// - Returns: The figures of its feed.
    package func removeChannel(_ name: String) -> FeedFigures? { channels.removeValue(forKey: name)?.figures }

    /// Changes how long a channel's source on air may be silent before another one takes over.
    package func setPatience(_ patience: Duration, of channel: String) {
        channels[channel]?.patience = patience.wholeNanoseconds
    }

    /// Changes whether a channel's audio, silence included, has one format: a target does not follow a change of it.
    ///
    /// The first audio of a source decides on the format, and the channel keeps it for as long as it exists: AAC-LC,
    /// 44.1 or 48 kHz, stereo. A source with another format is reported as
    /// ``SourceEvent/otherAudioFormat(_:channel:)``, and silence replaces its audio.
    package func keepAudioFormat(_ isKept: Bool, of channel: String) { channels[channel]?.keepsAudioFormat = isKept }

    /// The one format of a channel's audio. It is `nil` where the audio may have any format, before a source has
    /// decided, and where there is no such channel.
    package func audioFormat(of channel: String) -> AACFormat? { channels[channel]?.audioFormat }

    /// Makes the pipe for the relay of a source.
    ///
    /// - Parameters:
    ///   - priority: 0 is the preferred source. Each source of a channel has another priority.
    ///   - isNew: This is another device than the one that had this priority before, or the same one plugged in again.
    ///   - patience: Time without a frame after which the source counts as stalled. `nil` uses the channel's patience
    ///     between two frames, and sets no limit for the first frame.
    /// - Returns: The end for the relay's standard output, owned by the caller.
    /// - Throws: ``DescriptorError``, or ``UnknownFeed`` where there is no such channel.
    package func attachSource(
        to channel: String, priority: Int, isNew: Bool = false, patience: FramePatience? = nil,
        report: @escaping @Sendable (SourceEvent) -> Void
    ) throws -> (Attachment, FileDescriptor) {
        let input = try self.channel(channel)
        let pipe = try Pipe()
        let unitReader = try makeReader(pipe, owner: input)
        let source = ChannelSource(unitReader: unitReader, priority: priority, patience: patience, report: report)
        return (add(source, with: unitReader, to: input, isNew: isNew), FileDescriptor(rawValue: pipe.writing))
    }

    /// Adds a source that no process relays.
    ///
    /// - Parameters:
    ///   - priority: 0 is the preferred source. Each source of a channel has another priority.
    ///   - makeReader: Makes the source's reader, on the data path's thread; returns `nil` where the system does not
    ///     allow it.
    /// - Throws: ``DescriptorError``, or ``UnknownFeed`` where there is no such channel.
    package func attachSource(
        to channel: String, priority: Int, report: @escaping @Sendable (SourceEvent) -> Void,
        makeReader: @Sendable (any UnitReaderDelegate, EventLoop) -> (any UnitReader)?
    ) throws -> Attachment {
        let input = try self.channel(channel)
        guard let unitReader = makeReader(input, loop) else { throw DescriptorError.last("watch a connection") }
        let source = ChannelSource(unitReader: unitReader, priority: priority, patience: nil, report: report)
        return add(source, with: unitReader, to: input, isNew: false)
    }

    private func add(
        _ source: ChannelSource, with unitReader: any UnitReader, to input: ChannelInput, isNew: Bool
    ) -> Attachment {
        input.add(source, isNew: isNew)
        return attach(.source(unitReader, of: input))
    }

    /// Watches the reading end of a pipe. Where the system refuses, it closes both ends.
    func makeReader(_ pipe: Pipe, owner: any UnitReaderDelegate) throws(DescriptorError) -> PipeReader {
        if let unitReader = PipeReader(pipe.reading, owner: owner, loop: loop) { return unitReader }
        let error = DescriptorError.last("watch a pipe")
        pipe.close()
        throw error
    }
}
