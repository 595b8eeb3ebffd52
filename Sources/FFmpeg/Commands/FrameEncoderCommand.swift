package import MediaTypes

/// Frames as IVF on standard input → encoded MPEG-TS on standard output. Each frame keeps its time to the tick.
package struct FrameEncoderCommand: Sendable {
    package var settings: VideoSettings
    package var recipe: any EncoderRecipe
    /// Frames per second. `nil` if unknown.
    package var rate: FrameRate?

    package init(settings: VideoSettings, recipe: any EncoderRecipe, rate: FrameRate?) {
        self.settings = settings
        self.recipe = recipe
        self.rate = rate
    }

    package func command(for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        var arguments = FFmpegCommand.preamble(.encoder) + recipe.deviceOptions
        // The file's header has all parameters, so FFmpeg encodes the first frame at once.
        arguments += [
            "-copyts", "-probesize", "32", "-analyzeduration", "1", "-fpsprobesize", "0", "-f", "ivf", "-c:v",
            "rawvideo", "-i", "pipe:0",
        ]
        arguments +=
            ["-map", "0:v:0"]
            + ffmpeg.videoOptions(filters: stated + recipe.chain(for: settings), recipe: recipe, rate: nil)
        arguments += recipe.options(for: settings, inputRate: rate)
        arguments +=
            ["-force_key_frames", KeyframeGrid.expression(every: settings.keyframeInterval)]
            + TransportStreamOutput.options
        return FFmpegCommand(role: .encoder, arguments: arguments, environment: recipe.environment)
    }

    /// States the frame rate to an encoder that needs it. IVF has no frame rate: FFmpeg assumes that each tick is a
    /// frame, 90000 a second, and the filter divides that rate. The filter itself is disabled, so every frame passes
    /// with its time (FFmpeg 5.1, 7.1 and 9.0).
    private var stated: [String] {
        guard recipe.needsStatedRate, let rate else { return [] }
        let step = (90_000 * rate.denominator + rate.numerator / 2) / rate.numerator
        return ["framestep=step=\(max(1, step)):enable=0"]
    }
}
