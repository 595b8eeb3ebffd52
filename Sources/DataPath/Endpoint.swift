/// One process or program that is attached to the data path, and the part of the data path that it belongs to.
enum Endpoint {
    /// A source's reader: of a relay's pipe, or of a publisher's connection.
    case source(any UnitReader, of: ChannelInput)
    /// The process that converts a source's audio.
    case audioConverter(AudioConverter, of: ChannelInput)
    /// The frames of a card or of another program.
    case frames(FrameStream, of: ChannelInput)
    /// The encoder of such frames.
    case frameEncoder(PipeReader, of: FrameStream)
    /// A group's encoder.
    case encoder(PipeReader, input: FeedSender, of: GroupOutput)
    /// A target's publisher.
    case publisher(Publisher)

    /// Reads the process's output.
    var unitReader: (any UnitReader)? {
        switch self {
        case .source(let unitReader, _): unitReader
        case .audioConverter(let converter, _): converter.unitReader
        case .frameEncoder(let unitReader, _), .encoder(let unitReader, _, _): unitReader
        case .frames, .publisher: nil
        }
    }

    /// Writes a feed to the process's input.
    var sender: FeedSender? {
        switch self {
        case .encoder(_, let input, _): input
        case .publisher(let publisher): publisher.sender
        case .source, .audioConverter, .frames, .frameEncoder: nil
        }
    }

    /// Closes the process's input once the waiting bytes are written.
    func endInput() {
        switch self {
        case .encoder(_, let input, _): input.finish()
        case .publisher(let publisher): publisher.sender.finish()
        case .audioConverter(let converter, _): converter.finish()
        case .source, .frames, .frameEncoder: break
        }
    }

    /// Closes the data path's ends.
    func close() {
        switch self {
        case .source(let unitReader, let channel): channel.remove(unitReader)
        case .audioConverter(let converter, let channel): channel.remove(converter)
        case .frames(let stream, let channel): channel.remove(stream)
        case .frameEncoder(let unitReader, let stream): stream.remove(unitReader)
        case .encoder(let unitReader, _, let group): group.remove(unitReader)
        case .publisher(let publisher): publisher.sender.close()
        }
    }
}
