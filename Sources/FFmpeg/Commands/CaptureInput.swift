package import MediaTypes

/// A capture card and how FFmpeg opens it.
package struct CaptureInput: Sendable, Hashable {
    /// `/dev/video0`
    package var node: String
    /// FFmpeg's name of the card's format: `yuyv422`, `mjpeg`. `nil` leaves the choice to the card.
    package var format: String?
    package var size: FrameSize?
    package var rate: FrameRate?
    /// ALSA's name of the audio device: `hw:1`. `nil` reads no audio.
    package var audio: String?

    package init(
        node: String, format: String? = nil, size: FrameSize? = nil, rate: FrameRate? = nil, audio: String? = nil
    ) {
        self.node = node
        self.format = format
        self.size = size
        self.rate = rate
        self.audio = audio
    }

    /// With audio, both devices use the time of day as their clock, so audio and video need no other synchronization.
    /// Without audio, the driver's timestamps are kept, because setting the system clock does not change them.
    var arguments: [String] {
        var arguments = ["-copyts", "-thread_queue_size", "16", "-f", "v4l2"]
        if audio != nil { arguments += ["-timestamps", "abs"] }
        if let format { arguments += ["-input_format", format] }
        if let size { arguments += ["-video_size", "\(size)"] }
        if let rate { arguments += ["-framerate", "\(rate)"] }
        arguments += ["-i", node]
        if let audio { arguments += Self.audioOptions + ["-i", Self.device(ofAudio: audio)] }
        return arguments
    }

    /// The same options without the card, for 0.1 s: a generated picture, and ALSA's null device, which exists
    /// everywhere and is silent.
    var standIn: [String] {
        let size = size ?? FrameSize(width: 64, height: 48)
        var arguments = [
            "-copyts", "-f", "lavfi", "-t", "0.1", "-i", "testsrc2=size=\(size):rate=\(rate ?? FrameRate(30))",
        ]
        if audio != nil { arguments += Self.audioOptions + ["-t", "0.1", "-i", "null"] }
        return arguments
    }

    /// FFmpeg 9 has no `-channels` for ALSA.
    private static let audioOptions = [
        "-thread_queue_size", "512", "-f", "alsa", "-sample_rate", "48000", "-ch_layout", "stereo",
    ]

    /// ALSA's plug layer converts the card's audio format to the one that the feed needs.
    private static func device(ofAudio audio: String) -> String { audio.hasPrefix("hw:") ? "plug" + audio : audio }
}
