/// The behaviour of an ``RTMPStub`` towards a client that publishes.
package enum StubBehaviour: Sendable, Hashable {
    /// Accepts every stream at once.
    case accept
    /// Accepts as some servers do that send more than a client needs: `onBWDone`, a call of their own, `onFCPublish`,
    /// and the beginning of the stream as a user control message.
    case talkative
    /// Accepts the stream so long after the request, and discards media until then.
    case acceptLate(Duration)
    /// Never answers the request to publish.
    case neverAnswer
    /// Accepts the connection, and never sends a byte.
    case silent
    /// Accepts the stream, and stops reading so long after that.
    case stopReading(after: Duration)
    /// Announces this window of acknowledgements and this bandwidth, in bytes. 0 is not a valid window.
    case window(UInt32)
    /// Sends chunks of this many bytes. Announces 0, which is not valid, but keeps 128.
    case chunkSize(UInt32)
    /// Accepts the stream, and sends pings. Closes the connection if one is not answered within 5 s.
    case ping(every: Duration)
    /// Closes the connection when the client asks to publish, after or instead of the answer.
    case closeAtPublish(answers: Bool)
    /// Accepts the stream, and closes the connection so long after that.
    case close(after: Duration)
    /// Answers that the name is already being published. Closes the connection then, or leaves it open.
    case badName(closes: Bool)
    /// Rejects the request to publish, and closes the connection.
    case denied
    /// Rejects the request to connect with this description, and closes the connection.
    case reject(String)
    /// Answers that it does not have the application, and closes the connection.
    case invalidApplication
    /// Accepts the stream, and ends it so long after that. The connection stays open.
    case unpublish(after: Duration)
    /// Accepts the stream, and reports a failure of it so long after that. The connection stays open.
    case fail(after: Duration)
    /// Rejects the request to connect, and names another address.
    case redirect(to: String)
    /// Accepts clients that prove to know the password, by Adobe's challenge.
    case adobe(user: String, password: String)
    /// Accepts clients that prove to know the password, by Limelight's challenge.
    case limelight(user: String, password: String)
    /// Accepts the stream, and asks the client so long after that to connect again, to another address or to this one.
    case reconnect(to: String?, after: Duration)
    /// Sends each byte in a segment of its own.
    case oneByteAtATime
}
