/// Everything that one configuration file says: the values that the service runs by, validated.
package struct BoxConfiguration: Sendable, Equatable {
    /// The FFmpeg program; nil: the first `ffmpeg` on `PATH`.
    package var ffmpeg: String?
    /// The folder for what lives as long as the service; nil: `$RUNTIME_DIRECTORY` and its fallbacks.
    package var runtime: String?
    /// The folder for what survives a restart; nil: `$STATE_DIRECTORY` and its fallbacks.
    package var state: String?
    package var status: StatusConfiguration
    package var encoders: EncoderPreferences
    /// At least one; names unique.
    package var channels: [ChannelConfiguration]

    package init(
        ffmpeg: String? = nil, runtime: String? = nil, state: String? = nil,
        status: StatusConfiguration = StatusConfiguration(),
        encoders: EncoderPreferences = EncoderPreferences(), channels: [ChannelConfiguration]
    ) {
        self.ffmpeg = ffmpeg
        self.runtime = runtime
        self.state = state
        self.status = status
        self.encoders = encoders
        self.channels = channels
    }
}
