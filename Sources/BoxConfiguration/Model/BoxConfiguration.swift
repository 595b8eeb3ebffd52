/// The validated content of one configuration file.
package struct BoxConfiguration: Sendable, Equatable {
    /// The FFmpeg program. `nil` for the first `ffmpeg` on `PATH`.
    package var ffmpeg: String?
    /// The folder for files that live as long as the service. `nil` for `$RUNTIME_DIRECTORY` and its fallbacks.
    package var runtime: String?
    /// The folder for files that outlast a restart. `nil` for `$STATE_DIRECTORY` and its fallbacks.
    package var state: String?
    package var status: StatusConfiguration
    package var encoders: EncoderPreferences
    /// At least one channel; the names are unique.
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
