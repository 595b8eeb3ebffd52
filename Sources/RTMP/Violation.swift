/// A violation of the protocol by the client. Its connection has to be closed.
package enum Violation: Error, Sendable, Hashable, CustomStringConvertible {
    /// The first bytes are not an RTMP handshake.
    case noHandshake
    /// A message is longer than the limit, or unfinished messages together are.
    case messageTooLong
    case tooManyChunkStreams
    /// A chunk refers to a previous chunk that does not exist.
    case chunkWithoutHeader
    case chunkSize
    /// A control message or a command cannot be read.
    case malformed
    /// A command or message came too early.
    case outOfTurn
    /// The client sends more than a client needs to ask to publish.
    case tooMuch
    /// The client asks to play, and the server only accepts publishers.
    case play

    package var description: String {
        switch self {
        case .noHandshake: "its first bytes are not an RTMP handshake"
        case .messageTooLong: "it sends a message that is too long"
        case .tooManyChunkStreams: "it uses too many chunk streams"
        case .chunkWithoutHeader: "it sends a chunk without a header"
        case .chunkSize: "it sets an invalid chunk size"
        case .malformed: "it sends a command that cannot be read"
        case .outOfTurn: "it sends a command or message too early"
        case .tooMuch: "it sends too much before it publishes"
        case .play: "it asks to play, and this port only accepts publishers"
        }
    }
}
