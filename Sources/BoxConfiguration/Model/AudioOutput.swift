package import MediaTypes

/// How a group gets its audio.
package enum AudioOutput: Sendable, Equatable {
    /// Passed on as the source sent it, if it has the one audio format of the channel.
    case copy
    case encode(AudioEncoding)
}

/// How the audio of a group is encoded.
package struct AudioEncoding: Sendable, Equatable {
    package var codec: AudioCodec
    /// 16k to 512k; 160k by default.
    package var bitrate: Bitrate
    /// Samples per second, one of ``rates``; 48000 by default.
    package var rate: Int
    /// 1 to 8; 2 by default.
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
