public import FFmpeg

/// A few made-up pictures through an encoder, as a group would have them: what shows whether it works here.
public struct TrialCommand: Sendable {
    public var recipe: any EncoderRecipe
    public var settings: VideoSettings
    public var size: FrameSize
    public var rate: FrameRate

    /// Pictures: enough for an encoder that fails behind its first.
    static let frames = 12

    /// - Parameters:
    ///   - settings: The group's.
    ///   - size: Of the pictures that arrive.
    public init(recipe: any EncoderRecipe, settings: VideoSettings, size: FrameSize, rate: FrameRate) {
        self.recipe = recipe
        self.settings = settings
        self.size = size
        self.rate = rate
    }

    public func command() -> FFmpegCommand {
        let scaling = settings.size.map { ["scale=\($0.width):\($0.height)", "setsar=1"] } ?? []
        return FFmpegCommand(
            role: .trial,
            arguments: FFmpegCommand.preamble(.trial) + recipe.deviceOptions + [
                "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=\(rate)", "-frames:v", "\(Self.frames)",
                "-vf", (scaling + recipe.filters(for: settings)).joined(separator: ","), "-c:v", recipe.encoder,
            ] + recipe.options(for: settings, inputRate: rate) + ["-f", "null", "-"],
            environment: recipe.environment)
    }
}
