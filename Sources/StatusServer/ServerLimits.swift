package import NIOCore

/// What a client may cost.
package struct ServerLimits: Sendable {
    /// Connections at a time.
    package var connections = 256
    /// Bytes of a request: its line, its header and its body, which nobody reads.
    package var requestBytes = 32 << 10
    /// How long a request may take to arrive, counted from the connection or from the last answer.
    package var request = TimeAmount.seconds(10)
    /// How long an answer may take to leave. An event stream has no such limit, but a queue.
    package var answer = TimeAmount.seconds(20)
    /// How long a connection may be kept without a request.
    package var idle = TimeAmount.seconds(60)
    /// Clients of the event stream.
    package var listeners = 32
    /// Seconds of events that a client of the event stream may be behind.
    package var listenerQueue = 8
    /// How long the supervisor may take to say how it is.
    package var snapshot = Duration.seconds(5)

    package init() {}
}
