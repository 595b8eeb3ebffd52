import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import Logging
import MPEGTS
import MediaTypes

/// Makes the command and the pipes of a group's encoder.
extension GroupEncoding {
    /// How long a generation is started before it takes over. libx264 needs a tenth of a second to start, and twice as
    /// long on a busy machine. If the start takes longer than the lead, the output pauses, but no frame is lost.
    private static let lead = Duration.seconds(1)

    func prepare(
        _ generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning, in session: isolated Session
    ) async throws -> EncoderGeneration.Ready? {
        if beginning == .fresh, job != nil { await context.encoders.waitForFirstResult(for: name) }
        while true {
            let (command, cut) = await self.command(beginning, for: generation, in: session)
            guard let command else { return nil }
            do {
                let (attachment, input, output) = try await session.dataPath.attachEncoder(
                    to: group.name, in: channel, needsKeyframe: group.video != .copy, copiesAudio: group.audio == .copy,
                    takingOverAt: cut, isFresh: beginning == .fresh, startPatience: session.startPatience
                ) { [session] in session.report($0, of: generation) }
                return EncoderGeneration.Ready(
                    command: command, attachment: attachment, input: input, output: output
                ) { [statistics] progress in
                    guard let progress else { return statistics.forget(generation) }
                    if let dropped = progress.dropped { statistics.dropped(dropped, by: generation) }
                }
            } catch is DataPath.PassedBy {
                session.logger.debug("the channel has already passed the place of the handover, choosing another")
            }
        }
    }

    private func command(
        _ beginning: EncoderGeneration.Beginning, for generation: GroupMachine.Generation, in session: isolated Session
    ) async -> (FFmpegCommand?, Splicer.Cut?) {
        guard beginning == .ahead else {
            guard var place = await session.dataPath.resumption(of: group.name, in: channel) else {
                return (nil, nil)
            }
            // Frames at another rate, or on the grid of a conversion, may be close to the last one.
            if beginning == .repaced { place.video = place.video.map { $0 + place.halfFrame } }
            return (
                command(
                    for: place.videoFormat, isSlate: place.isSlate,
                    resume: beginning == .fresh ? nil : ResumePoint(place), of: generation, in: session), nil
            )
        }
        guard let place = await session.dataPath.takeover(of: group.name, in: channel, lead: Self.lead) else {
            return (nil, nil)
        }
        let audio = place.audio(rate: group.audio.encodedRate)
        return (
            command(
                for: place.videoFormat, isSlate: place.isSlate,
                resume: ResumePoint(
                    videoStart: place.video, audioStart: audio, readingFrom: place.first ?? place.video),
                of: generation, in: session),
            Splicer.Cut(video: place.video, audio: audio)
        )
    }

    private func command(
        for format: VideoFormat?, isSlate: Bool, resume: ResumePoint?, of generation: GroupMachine.Generation,
        in session: isolated Session
    ) -> FFmpegCommand? {
        arriving = format
        let size = size ?? format.map { ArrivingFrames($0).squareSize }
        if !isSlate { self.size = size }
        let ffmpeg = context.ffmpeg.capabilities
        guard case .encode(let encoding) = group.video else {
            scope = nil
            return FFmpegCommands.encoder(
                group, recipe: Libx264Recipe(), format: format, size: size, resume: resume, ffmpeg: ffmpeg)
        }
        requestEncoder()
        guard let candidate = assignEncoder(to: generation, in: session) else { return nil }
        let effort = preset.effort.effort
        guard let recipe = context.encoders.recipe(for: candidate, in: name, effort: effort) else { return nil }
        session.update(generation) { $0.effort = candidate.isSoftware ? effort : nil }
        scope = FilterScope(encoding, size: size, frames: format.map { ArrivingFrames($0) }, scalesOnGPU: recipe.scales)
        return FFmpegCommands.encoder(group, recipe: recipe, format: format, size: size, resume: resume, ffmpeg: ffmpeg)
    }

    /// Assigns an encoder to a generation.
    ///
    /// - Returns: `nil` if no encoder works.
    private func assignEncoder(to generation: GroupMachine.Generation, in session: isolated Session)
        -> EncoderCandidate?
    {
        let choice = context.encoders.assignEncoder(to: name)
        if choice.candidate == nil { session.monitor.log(.error, "no encoder is usable", reason: choice.reason) }
        session.update(generation) { $0.encoder = choice.candidate }
        return choice.candidate
    }
}

extension ResumePoint {
    init?(_ place: DataPath.Resumption) {
        guard let video = place.video else { return nil }
        self.init(videoStart: video, audioStart: place.audio ?? video, readingFrom: place.first ?? video)
    }
}

extension DataPath.Takeover {
    /// The first time at or after the handover's frame that is on the audio grid of the encoder in use.
    ///
    /// - Parameter rate: The samples per second that the encoder gives, in frames of 1024. `nil` if it copies.
    func audio(rate: Int?) -> Int64 {
        guard let rate, video > audioGrid else { return max(video, audioGrid) }
        let perSecond = Int64(rate)
        let frames = ((video - audioGrid) * perSecond + 1024 * Ticks.perSecond - 1) / (1024 * Ticks.perSecond)
        return audioGrid + (frames * 1024 * Ticks.perSecond + perSecond / 2) / perSecond
    }
}

extension AudioOutput {
    /// Samples per second. `nil` if the audio is copied.
    var encodedRate: Int? {
        switch self {
        case .copy: nil
        case .encode(let encoding): encoding.rate
        }
    }
}
