package import NIOCore

/// The limits on what clients may use.
package struct ServerLimits: Sendable {
    /// The most connections at a time.
    package var connections = 256
    /// The most bytes of a request: its line, its header and its body, which is ignored.
    package var requestBytes = 32 << 10
    /// How long a request may take to arrive, measured from the connection or from the last answer.
    package var request = TimeAmount.seconds(10)
    /// How long an answer may take to send. An event stream has a queue in place of this limit.
    package var answer = TimeAmount.seconds(20)
    /// How long a connection may stay open without a request.
    package var idle = TimeAmount.seconds(60)
    /// The most clients of the event stream.
    package var listeners = 32
    /// How many seconds of events a client of the event stream may fall behind.
    package var listenerQueue = 8
    /// How long the supervisor may take to answer.
    package var snapshot = Duration.seconds(5)

    package init() {}
}
