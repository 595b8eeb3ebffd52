/// The bytes of one connection to an ``RTMPStub``, as the client sent them.
package struct StubRecord: Sendable {
    package var commands: [StubCommand] = []
    /// The messages of audio, video and data since the server accepted the stream, unless the stub keeps none.
    package var media: [StubMessage] = []
    /// The number of all messages of audio, video and data since the server accepted the stream.
    package var mediaCount = 0
    /// The number of those that came before. A server discards them.
    package var earlyCount = 0
    /// Whether the client's half of the handshake is complete.
    package var hasShakenHands = false
    /// Whether the client's last part of the handshake equals the server's first, as it should.
    package var echoesHandshake = false
    package var isAccepted = false
    /// The most bytes of a chunk that the client sends.
    package var chunkSize = 128
    /// The window of acknowledgements that the client asks for, in bytes.
    package var window: UInt32?
    /// The numbers of bytes that the client acknowledged.
    package var acknowledgements: [UInt32] = []
    /// The times of the pings that the client answered.
    package var pongs: [UInt32] = []
    /// The number of bytes that the client sent.
    package var byteCount = 0
    /// Says why the client's bytes are not RTMP. The connection is closed then.
    package var violation: String?
    package var isOver = false

    /// The application that the client asked for, with its query.
    package var application: String? { connect?["app"]?.text }

    /// The object of the request to connect.
    package var connect: StubValue? { commands.first { $0.name == "connect" }?.values.first }

    /// The name under which the client asked to publish.
    package var streamName: String? { commands.first { $0.name == "publish" }?.text(1) }

    /// Whether the client ended the stream before it disconnected.
    package var endedOrderly: Bool { commands.contains { $0.name == "deleteStream" } }

    /// The kept media as an FLV file.
    package var file: [UInt8] {
        [0x46, 0x4C, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0] + media.flatMap(\.fileBytes)
    }
}
