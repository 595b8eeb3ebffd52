/// How capture and raw sources are encoded for the channel's feed.
package struct MezzanineConfiguration: Sendable, Equatable {
    /// 500k to 500M; 20M by default.
    package var bitrate: Bitrate
    /// From 100ms to 10s; 500ms by default, because it bounds how much an encoder that takes over has to decode first.
    package var keyframeInterval: Duration

    package static let bitrateLimits = Bitrate(bitsPerSecond: 500_000)...Bitrate(bitsPerSecond: 500_000_000)
    package static let keyframeIntervalLimits = Duration.milliseconds(100)...Duration.seconds(10)

    package init(
        bitrate: Bitrate = Bitrate(bitsPerSecond: 20_000_000), keyframeInterval: Duration = .milliseconds(500)
    ) {
        self.bitrate = bitrate
        self.keyframeInterval = keyframeInterval
    }
}
