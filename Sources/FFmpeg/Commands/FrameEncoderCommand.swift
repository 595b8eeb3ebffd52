/// Frames on standard input, as IVF → pictures in MPEG-TS on standard output, each at its frame's time to the tick.
public struct FrameEncoderCommand: Sendable {
    public var settings: VideoSettings
    public var recipe: any EncoderRecipe
    /// Frames a second; `nil` where it is not known.
    public var rate: FrameRate?

    public init(settings: VideoSettings, recipe: any EncoderRecipe, rate: FrameRate?) {
        self.settings = settings
        self.recipe = recipe
        self.rate = rate
    }

    public func command() -> FFmpegCommand {
        var arguments = FFmpegCommand.preamble(.encoder) + recipe.deviceOptions
        // The file's header says all there is to say: the first frame goes in at once.
        arguments += ["-copyts", "-probesize", "32", "-analyzeduration", "1", "-fpsprobesize", "0", "-f", "ivf", "-c:v", "rawvideo", "-i", "pipe:0"]
        arguments += [
            "-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base", "-1", "-vf", recipe.chain(for: settings).joined(separator: ","),
        ]
        // What the input says of its rate is not what an encoder should share its bits out by.
        if recipe.needsStatedRate, let rate { arguments += ["-r", "\(rate)"] }
        arguments += ["-c:v", recipe.encoder] + recipe.options(for: settings, inputRate: rate)
        arguments += ["-force_key_frames", KeyframeGrid.expression(every: settings.keyframe)] + TransportStreamOutput.options
        return FFmpegCommand(role: .encoder, arguments: arguments, environment: recipe.environment)
    }
}
