/// The header of a message.
package struct MessageHeader: Sendable, Hashable {
    package var type: UInt8
    /// Milliseconds; wraps at 2³².
    package var timestamp: UInt32
    package var streamID: UInt32

    package init(type: UInt8, timestamp: UInt32 = 0, streamID: UInt32 = 0) {
        self.type = type
        self.timestamp = timestamp
        self.streamID = streamID
    }
}

/// The message types that the server handles.
enum MessageType {
    static let setChunkSize: UInt8 = 1
    static let abort: UInt8 = 2
    static let acknowledgement: UInt8 = 3
    static let userControl: UInt8 = 4
    static let windowSize: UInt8 = 5
    static let peerBandwidth: UInt8 = 6
    static let audio: UInt8 = 8
    static let video: UInt8 = 9
    static let commandAMF3: UInt8 = 17
    static let data: UInt8 = 18
    static let command: UInt8 = 20
    static let aggregate: UInt8 = 22
}
