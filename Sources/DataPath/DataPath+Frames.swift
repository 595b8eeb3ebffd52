import EventLoop
import Glibc
package import SystemPackage

// Sources of uncompressed frames, and the encoders of these frames.
extension DataPath {
    /// Where frames come from.
    package enum FrameOrigin: Sendable {
        /// A card reader. It writes NUT to one pipe, and its audio as MPEG-TS to another.
        case card(hasAudio: Bool)
        /// A FIFO that another program writes to.
        case fifo(path: String, report: @Sendable (FIFOEvent) -> Void)
    }

    /// The attached frames of a source, and the ends for its reader's frames and audio, owned by the caller.
    package struct FrameAttachment: Sendable {
        package var attachment: Attachment
        package var video: FileDescriptor?
        package var audio: FileDescriptor?
    }

    /// Adds a source of uncompressed frames. Its encoders are attached to it.
    ///
    /// - Parameters: As for ``attachSource(to:priority:isNew:patience:report:)``.
    /// - Throws: ``DescriptorError``, or ``UnknownFeed`` where there is no such channel.
    package func attachFrames(
        _ format: FrameFormat, from origin: FrameOrigin, to channel: String, priority: Int, isNew: Bool = false,
        patience: FramePatience? = nil,
        report: @escaping @Sendable (SourceEvent) -> Void
    ) throws -> FrameAttachment {
        let input = try self.channel(channel)
        let stream: FrameStream
        var ends: (video: FileDescriptor?, audio: FileDescriptor?) = (nil, nil)
        switch origin {
        case .fifo(let path, let report):
            stream = makeStream(format, waits: true, owner: input)
            stream.setInput(try FIFOReader(path: path, format: format, owner: stream, loop: loop, report: report))
        case .card(let hasAudio):
            stream = makeStream(format, waits: false, owner: input)
            ends = try attachCard(to: stream, hasAudio: hasAudio)
        }
        input.add(ChannelSource(frames: stream, priority: priority, patience: patience, report: report), isNew: isNew)
        return FrameAttachment(
            attachment: attach(.frames(stream, of: input)), video: ends.video, audio: ends.audio)
    }

    private func makeStream(_ format: FrameFormat, waits: Bool, owner: ChannelInput) -> FrameStream {
        FrameStream(
            format: format, waits: waits, mostBytes: frameBytes, longestSpan: frameSpan, owner: owner, loop: loop)
    }

    /// Makes the pipes of a card reader.
    private func attachCard(
        to stream: FrameStream, hasAudio: Bool
    ) throws(DescriptorError) -> (video: FileDescriptor?, audio: FileDescriptor?) {
        let video = try Pipe(capacity: Pipe.frames)
        guard let reader = CardFrameReader(video.reading, format: stream.format, owner: stream, loop: loop) else {
            let error = DescriptorError.last("watch a pipe")
            video.close()
            throw error
        }
        stream.setInput(reader)
        guard hasAudio else { return (FileDescriptor(rawValue: video.writing), nil) }
        do {
            let audio = try Pipe()
            stream.setAudio(try makeReader(audio, owner: stream))
            return (FileDescriptor(rawValue: video.writing), FileDescriptor(rawValue: audio.writing))
        } catch {
            stream.close()
            Glibc.close(video.writing)
            throw error
        }
    }

    /// Takes no more frames of a source. Its encoder outputs the rest, and ends.
    package func endFrames(of attachment: Attachment) {
        if case .frames(let stream, _)? = endpoints[attachment] { stream.endInput() }
    }

    /// Makes the pipes for an encoder of frames.
    ///
    /// - Parameters:
    ///   - takesOver: The encoder takes over from the running one between two frames, once it is ready. Where this is
    ///     false, it begins with the first frame that has not come out encoded.
    ///   - startPatience: How long the encoder may owe its first frame.
    ///   - frameDuration: Time between two frames in real time; `nil` where the timestamps of the frames tell it.
    /// - Returns: The ends for the encoder's standard input and output, owned by the caller.
    /// - Throws: ``DescriptorError``, or ``NothingToTakeOver`` when no encoder runs, or no frame is left to encode.
    package func attachEncoder(
        ofFrames frames: Attachment, takesOver: Bool, startPatience: Duration, frameDuration: Duration? = nil,
        report: @escaping @Sendable (EncoderEvent) -> Void
    ) throws -> (Attachment, input: FileDescriptor, output: FileDescriptor) {
        guard case .frames(let stream, _)? = endpoints[frames], !stream.isOver, !takesOver || stream.hasCurrent else {
            throw NothingToTakeOver()
        }
        let pipes = try ProcessPipes(inputCapacity: Pipe.frames)
        let (sender, unitReader) = try pipes.watch(owner: stream, loop: loop) {
            FrameSender($0, format: stream.format, owner: stream, loop: loop)
        }
        let generation = FrameStream.Generation(
            unitReader: unitReader, sender: sender, frameDuration: frameDuration?.wholeNanoseconds,
            patience: startPatience.wholeNanoseconds, report: report)
        let attachment = attach(.frameEncoder(unitReader, of: stream))
        stream.add(generation, takesOver ? .whenReady : .atOnce)
        return (attachment, pipes.processInput, pipes.processOutput)
    }
}
