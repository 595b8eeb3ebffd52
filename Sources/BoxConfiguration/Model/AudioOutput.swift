package import MediaTypes

/// The audio of a group: passed on, or encoded.
package enum AudioOutput: Sendable, Equatable {
    /// Passes the source's audio on unchanged. If its format is not the channel's, the service converts it to the
    /// channel's format.
    case copy
    case encode(AudioEncoding)
}

/// The settings with which the audio of a group is encoded.
package struct AudioEncoding: Sendable, Equatable {
    package var codec: AudioCodec
    /// The bitrate, from 16k to 512k. The default is 160k.
    package var bitrate: Bitrate
    /// Samples per second, one of ``rates``. The default is 48000.
    package var rate: Int
    /// The number of channels, from 1 to 8. The default is 2.
    package var channels: Int

    package static let bitrateLimits = Bitrate(bitsPerSecond: 16_000)...Bitrate(bitsPerSecond: 512_000)
    package static let rates = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000]
    package static let channelLimits = 1...8

    package init(
        codec: AudioCodec = .aac, bitrate: Bitrate = Bitrate(bitsPerSecond: 160_000), rate: Int = 48000,
        channels: Int = 2
    ) {
        self.codec = codec
        self.bitrate = bitrate
        self.rate = rate
        self.channels = channels
    }
}
