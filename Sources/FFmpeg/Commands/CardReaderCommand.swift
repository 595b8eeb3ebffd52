package import MediaTypes

/// A capture card → its frames on standard output, each with the card's timestamp, and its audio as MPEG-TS on the
/// descriptor that is otherwise the standard input.
///
/// The process does not encode video, so a failing encoder does not affect the process that has the card open.
package struct CardReaderCommand: Sendable {
    package var card: CaptureInput
    /// The size of the output frames. Frames of another size are scaled.
    package var size: FrameSize
    /// How interlaced frames are deinterlaced. `nil` if the frames are progressive or should stay interlaced.
    package var fields: Fields?
    /// Sample rate of the audio in Hz: 48,000 or 44,100.
    package var audioRate: Int

    /// Interlacing of a card. FFmpeg does not mark the frames, so the card's field order applies to all of them.
    package struct Fields: Sendable, Hashable {
        package var deinterlacing: VideoSettings.Deinterlacing
        package var isBottomFirst: Bool

        package init(_ deinterlacing: VideoSettings.Deinterlacing, isBottomFirst: Bool) {
            self.deinterlacing = deinterlacing
            self.isBottomFirst = isBottomFirst
        }
    }

    /// Cards deliver timestamps in microseconds.
    private static let ticks = 1_000_000

    /// FFmpeg's name of the output pixel format. Every encoder accepts it.
    package static let pixels = "nv12"

    package init(card: CaptureInput, size: FrameSize, fields: Fields? = nil, audioRate: Int = 48_000) {
        self.card = card
        self.size = size
        self.fields = fields
        self.audioRate = audioRate
    }

    package func command(for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        command(reading: card.arguments, for: ffmpeg)
    }

    /// Returns the same command without the card, for 0.1 s of media. It shows whether FFmpeg accepts the other
    /// options.
    package func commandWithoutCard(for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        command(reading: card.standIn, for: ffmpeg)
    }

    private func command(reading input: [String], for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        var arguments = FFmpegCommand.preamble(.relay) + input
        // Deinterlace before scaling: scaling would mix lines of the two fields.
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
        if card.audio != nil {
            arguments +=
                [
                    "-map", "1:a:0", "-c:a", "aac", "-b:a", "192000", "-ac", "2",
                    "-af", "aresample=\(audioRate):\(AudioTreatment.clockFollowing)",
                ] + TransportStreamOutput.audio
        }
        return FFmpegCommand(role: .relay, arguments: arguments)
    }
}
