package import MediaTypes

/// A capture card → its frames on standard output, each with the time at which the card took it, and its sound as
/// MPEG-TS on what is else the standard input.
///
/// It encodes no picture, so that nothing that happens to an encoder happens to whoever has the card open.
package struct CardReaderCommand: Sendable {
    package var card: CaptureInput
    /// Of the frames that come out, whatever the card gives.
    package var size: FrameSize
    /// What is done with the fields that every frame consists of; `nil` where they have none, or stay as they are.
    package var fields: Fields?
    /// Of the sound, in Hz: 48,000 or 44,100.
    package var soundRate: Int

    /// Fields of a card. FFmpeg does not mark the frames, so the card's word goes for all.
    package struct Fields: Sendable, Hashable {
        package var deinterlacing: VideoSettings.Deinterlacing
        package var isBottomFirst: Bool

        package init(_ deinterlacing: VideoSettings.Deinterlacing, isBottomFirst: Bool) {
            self.deinterlacing = deinterlacing
            self.isBottomFirst = isBottomFirst
        }
    }

    /// Cards tell their times in microseconds.
    private static let ticks = 1_000_000

    /// FFmpeg's name of the pixel format that comes out: what every encoder takes.
    package static let pixels = "nv12"

    package init(card: CaptureInput, size: FrameSize, fields: Fields? = nil, soundRate: Int = 48_000) {
        self.card = card
        self.size = size
        self.fields = fields
        self.soundRate = soundRate
    }

    package func command(for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        command(reading: card.arguments, for: ffmpeg)
    }

    /// The same without the card, and for a tenth of a second: to see whether FFmpeg takes the rest of the options.
    package func commandWithoutCard(for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        command(reading: card.standIn, for: ffmpeg)
    }

    private func command(reading input: [String], for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        var arguments = FFmpegCommand.preamble(.relay) + input
        // Before the frames are scaled: lines of two fields must not be mixed.
        var filters = ["scale=\(size.width):\(size.height)", "format=\(Self.pixels)"]
        if let fields {
            let deinterlacer = fields.deinterlacing.filters(
                ffmpeg.deinterlacer, bottomFieldFirst: fields.isBottomFirst, ticks: Self.ticks)
            filters = deinterlacer + filters
        }
        arguments +=
            ["-map", "0:v:0"] + ffmpeg.timestampOptions(ticks: Self.ticks) + [
                "-vf", filters.joined(separator: ","),
                "-c:v", "rawvideo", "-f", "nut", "-flush_packets", "1", "pipe:1",
            ]
        if card.sound != nil {
            arguments +=
                [
                    "-map", "1:a:0", "-c:a", "aac", "-b:a", "192000", "-ac", "2",
                    "-af", "aresample=\(soundRate):\(AudioTreatment.clockFollowing)",
                ] + TransportStreamOutput.sound
        }
        return FFmpegCommand(role: .relay, arguments: arguments)
    }
}
