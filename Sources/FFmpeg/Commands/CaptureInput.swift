package import MediaTypes

/// A capture card as FFmpeg opens it.
package struct CaptureInput: Sendable, Hashable {
    /// `/dev/video0`
    package var node: String
    /// FFmpeg's name of the card's format, `yuyv422`, `mjpeg`; `nil` for the card's own.
    package var format: String?
    package var size: FrameSize?
    package var rate: FrameRate?
    /// ALSA's name of the sound, `hw:1`; `nil` for none.
    package var sound: String?

    package init(
        node: String, format: String? = nil, size: FrameSize? = nil, rate: FrameRate? = nil, sound: String? = nil
    ) {
        self.node = node
        self.format = format
        self.size = size
        self.rate = rate
        self.sound = sound
    }

    /// With sound both clocks tell the time of day, so that picture and sound need no other relation. Picture alone
    /// keeps the driver's times, which no setting of the clock moves.
    var arguments: [String] {
        var arguments = ["-copyts", "-thread_queue_size", "16", "-f", "v4l2"]
        if sound != nil { arguments += ["-timestamps", "abs"] }
        if let format { arguments += ["-input_format", format] }
        if let size { arguments += ["-video_size", "\(size)"] }
        if let rate { arguments += ["-framerate", "\(rate)"] }
        arguments += ["-i", node]
        if let sound { arguments += Self.soundOptions + ["-i", Self.device(ofSound: sound)] }
        return arguments
    }

    /// The same for a tenth of a second without the card: a drawn picture, and ALSA's device that is everywhere and
    /// silent.
    var standIn: [String] {
        let size = size ?? FrameSize(width: 64, height: 48)
        var arguments = [
            "-copyts", "-f", "lavfi", "-t", "0.1", "-i", "testsrc2=size=\(size):rate=\(rate ?? FrameRate(30))",
        ]
        if sound != nil { arguments += Self.soundOptions + ["-t", "0.1", "-i", "null"] }
        return arguments
    }

    /// FFmpeg 9 has no `-channels` for ALSA.
    private static let soundOptions = [
        "-thread_queue_size", "512", "-f", "alsa", "-sample_rate", "48000", "-ch_layout", "stereo",
    ]

    /// ALSA's plug layer makes of what the card has what the feed wants.
    private static func device(ofSound sound: String) -> String { sound.hasPrefix("hw:") ? "plug" + sound : sound }
}
