package import FFmpeg

/// A few made-up pictures through an encoder, as a group would have them: what shows whether it works here.
package struct TrialCommand: Sendable {
    package var recipe: any EncoderRecipe
    package var job: EncodingJob

    /// Pictures that go in: enough for an encoder that fails behind its first.
    package static let frames = 12
    /// Pictures that have to come out, where the rate is not converted.
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
                    // A second keyframe, which a reader could begin at.
                    "-force_key_frames", "expr:not(mod(n,\(Self.frames / Self.keyframes)))", "-f", "mpegts", "pipe:1",
                ],
            environment: recipe.environment)
    }
}
