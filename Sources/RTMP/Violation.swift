/// What a peer did that an RTMP client does not do. Its connection is of no further use.
package enum Violation: Error, Sendable, Hashable, CustomStringConvertible {
    /// Its first bytes are no RTMP handshake.
    case noHandshake
    /// A message that is longer than the limit, or that could not be put together within it.
    case messageTooLong
    case tooManyChunkStreams
    /// A chunk refers to one that was not there.
    case chunkWithoutHeader
    case chunkSize
    /// A control message or a command that cannot be read.
    case malformed
    /// It asked for something before it may.
    case outOfTurn
    /// It sends more than anybody needs to ask whether it may publish.
    case tooMuch
    /// It wants to play, and here is nothing to be played.
    case play

    package var description: String {
        switch self {
        case .noHandshake: "its first bytes are no RTMP handshake"
        case .messageTooLong: "it sends a message that is too long"
        case .tooManyChunkStreams: "it uses too many chunk streams"
        case .chunkWithoutHeader: "it sends a chunk without a header"
        case .chunkSize: "it asks for an impossible chunk size"
        case .malformed: "it sends a command that cannot be read"
        case .outOfTurn: "it sends a command out of turn"
        case .tooMuch: "it sends too much before it publishes"
        case .play: "it wants to play, and this port takes streams only"
        }
    }
}
