package import FFmpeg

/// Encodes a few generated frames as a group would, to show whether an encoder works on this box.
package struct TrialCommand: Sendable {
    package var recipe: any EncoderRecipe
    package var job: EncodingJob

    /// The number of input frames: enough to find an encoder that fails after its first frame.
    package static let frames = 12
    /// The number of keyframes in the output, if the rate is not converted.
    package static let keyframes = 2

    package init(recipe: any EncoderRecipe, job: EncodingJob) {
        self.recipe = recipe
        self.job = job
    }

    /// Writes MPEG-TS to standard output, as an encoder of a group does.
    package func command(for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        let settings = ffmpeg.possible(job.settings)
        return FFmpegCommand(
            role: .trial,
            arguments: FFmpegCommand.preamble(.trial) + recipe.deviceOptions + [
                "-f", "lavfi", "-i", "testsrc2=size=\(job.arriving):rate=\(job.rate)", "-frames:v", "\(Self.frames)",
            ] + ffmpeg.videoOptions(filters: recipe.chain(for: settings), recipe: recipe, rate: job.rate)
                + recipe.options(for: job.settings, inputRate: job.rate) + [
                    // A second keyframe, at which a reader could begin.
                    "-force_key_frames", "expr:not(mod(n,\(Self.frames / Self.keyframes)))", "-f", "mpegts", "pipe:1",
                ],
            environment: recipe.environment)
    }
}
