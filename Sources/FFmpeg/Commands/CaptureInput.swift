/// A capture card as FFmpeg opens it.
public struct CaptureInput: Sendable, Hashable {
    /// `/dev/video0`
    public var node: String
    /// FFmpeg's name of the card's format, `yuyv422`, `mjpeg`; `nil` for the card's own.
    public var format: String?
    public var size: FrameSize?
    public var rate: FrameRate?
    /// ALSA's name of the sound, `hw:1`; `nil` for none.
    public var sound: String?

    public init(node: String, format: String? = nil, size: FrameSize? = nil, rate: FrameRate? = nil, sound: String? = nil) {
        self.node = node
        self.format = format
        self.size = size
        self.rate = rate
        self.sound = sound
    }

    /// With sound both clocks tell the time of day, so that picture and sound need no other relation. Picture alone keeps the driver's
    /// times, which no setting of the clock moves.
    var arguments: [String] {
        var arguments = ["-copyts", "-thread_queue_size", "16", "-f", "v4l2"]
        if sound != nil { arguments += ["-timestamps", "abs"] }
        if let format { arguments += ["-input_format", format] }
        if let size { arguments += ["-video_size", "\(size)"] }
        if let rate { arguments += ["-framerate", "\(rate)"] }
        arguments += ["-i", node]
        if let sound {
            // ALSA's plug layer makes of what the card has what the feed wants. FFmpeg 9 has no `-channels` for it.
            let device = sound.hasPrefix("hw:") ? "plug" + sound : sound
            arguments += ["-thread_queue_size", "512", "-f", "alsa", "-sample_rate", "48000", "-ch_layout", "stereo", "-i", device]
        }
        return arguments
    }
}
