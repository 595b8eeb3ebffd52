/// What peers may cost, before and after they have shown the right key.
package struct IngestLimits: Sendable {
    /// Connections that have not shown a key, in all and of one address.
    package var strangers = 128
    package var strangersPerAddress = 16
    /// How long a connection may take to ask to publish.
    package var handshake = Duration.seconds(10)
    /// Keys of those that give way to others are looked at one in so long of an address, and are otherwise not.
    package var earlyLook = Duration.milliseconds(10)
    /// How long a refused peer has to read why.
    package var farewell = Duration.seconds(1)
    /// Refused peers that have it at a time; others are told, and cut off.
    package var farewells = 64
    /// A publisher that sends nothing for so long gives way to another one.
    package var silence = Duration.seconds(2)
    /// A publisher that sends nothing for so long is gone.
    package var idle = Duration.seconds(30)

    package init() {}
}
