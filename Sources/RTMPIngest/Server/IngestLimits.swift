/// Bounds the cost of a client, before and after it has sent the right key.
package struct IngestLimits: Sendable {
    /// The largest number of unauthenticated connections, in all and from one client network.
    package var unauthenticated = 128
    package var unauthenticatedPerNetwork = 16
    /// The time in which a connection has to ask to publish.
    package var handshake = Duration.seconds(10)
    /// The interval in which the key of one evicted connection of a network is checked.
    package var earlyCheckInterval = Duration.milliseconds(10)
    /// How long the connection of a rejected client stays open, so that the client can read the reason.
    package var linger = Duration.seconds(1)
    /// The largest number of rejected connections that stay open. Others get the answer and are closed at once.
    package var lingering = 64
    /// After this time without data, another publisher replaces a publisher.
    package var silence = Duration.seconds(2)
    /// After this time without data, the connection of a publisher is closed.
    package var idle = Duration.seconds(30)

    package init() {}
}
