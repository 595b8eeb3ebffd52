/// A capture card → its frames on standard output, each with the time at which the card took it, and its sound as MPEG-TS on
/// what is else the standard input.
///
/// It encodes no picture, so that nothing that happens to an encoder happens to whoever has the card open.
public struct CardReaderCommand: Sendable {
    public var card: CaptureInput
    /// Of the frames that come out, whatever the card gives.
    public var size: FrameSize

    /// FFmpeg's name of the pixel format that comes out: what every encoder takes.
    public static let pixels = "nv12"

    public init(card: CaptureInput, size: FrameSize) {
        self.card = card
        self.size = size
    }

    public func command(for ffmpeg: FFmpegCapabilities) -> FFmpegCommand { command(reading: card.arguments, for: ffmpeg) }

    /// The same without the card, and for a tenth of a second: to see whether FFmpeg takes the rest of the options.
    public func commandWithoutCard(for ffmpeg: FFmpegCapabilities) -> FFmpegCommand { command(reading: card.standIn, for: ffmpeg) }

    private func command(reading input: [String], for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        var arguments = FFmpegCommand.preamble(.relay) + input
        // Cards tell their times in microseconds.
        arguments += ["-map", "0:v:0"] + ffmpeg.timestampOptions(ticks: 1_000_000) + [
            "-vf", "scale=\(size.width):\(size.height),format=\(Self.pixels)",
            "-c:v", "rawvideo", "-f", "nut", "-flush_packets", "1", "pipe:1",
        ]
        if card.sound != nil {
            arguments += [
                "-map", "1:a:0", "-c:a", "aac", "-b:a", "192000", "-ac", "2", "-af", "aresample=48000:\(AudioTreatment.clockFollowing)",
            ] + TransportStreamOutput.sound
        }
        return FFmpegCommand(role: .relay, arguments: arguments)
    }
}
