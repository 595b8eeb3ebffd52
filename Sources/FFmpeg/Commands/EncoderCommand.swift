package import MediaTypes

/// MPEG-TS on standard input → encoded MPEG-TS on standard output. The source's timestamps are kept to the tick.
package struct EncoderCommand: Sendable {
    package var video: VideoTreatment
    package var audio: AudioTreatment
    /// Frames per second of the input. The feed measures it more reliably than FFmpeg's probing does.
    package var inputRate: FrameRate?
    /// Frames per second that the stream announces, correct or not. `nil` if it announces none.
    package var announcedRate: FrameRate?
    /// The size of the input frames, if known.
    package var inputSize: FrameSize?
    /// The point at which encoding begins. `nil` encodes all input.
    package var resume: ResumePoint?

    package init(
        video: VideoTreatment, audio: AudioTreatment, inputRate: FrameRate? = nil, announcedRate: FrameRate? = nil,
        inputSize: FrameSize? = nil, resume: ResumePoint? = nil
    ) {
        self.video = video
        self.audio = audio
        self.inputRate = inputRate
        self.announcedRate = announcedRate
        self.inputSize = inputSize
        self.resume = resume
    }

    package func command(for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        var possible = self
        if case .encode(let settings, let recipe) = video {
            var settings = ffmpeg.possible(settings)
            if goesByInputRate(settings, recipe, ffmpeg), !isFound(by: ffmpeg) { settings.frameRate = inputRate }
            possible.video = .encode(settings, with: recipe)
        }
        return possible.completeCommand(for: ffmpeg)
    }

    /// Whether FFmpeg finds the rate of the input by itself, in the first two frames and in the stream's announcement.
    ///
    /// If it does not, the `fps` filter puts the frames on a grid of that rate, because no other filter states a rate:
    /// `setpts` and `interleave` unset it, and the other filters multiply the rate that FFmpeg found. With FFmpeg 7.1
    /// and 9.0, rates from 8 frames per second up are found if they are announced (4 become 8). If another rate is
    /// announced, 15 become 30, 4 become 120, and 25 at uneven times become the announced rate.
    private func isFound(by ffmpeg: FFmpegCapabilities) -> Bool {
        guard let rate = inputRate?.perSecond, ffmpeg.filters.isSuperset(of: ["fps", "settb"]) else { return true }
        guard let announced = announcedRate?.perSecond, abs(announced - rate) > 0.1 * max(announced, rate) else {
            return rate >= 8
        }
        return false
    }

    private func completeCommand(for ffmpeg: FFmpegCapabilities) -> FFmpegCommand {
        var arguments = FFmpegCommand.preamble(.encoder)
        if case .encode(_, let recipe) = video { arguments += recipe.deviceOptions }
        if takesEverySize { arguments += ffmpeg.whereKnown("reinit_filter:v", "0") }
        arguments +=
            input(for: ffmpeg) + TransportStreamOutput.mapFirstStreams + videoArguments(for: ffmpeg) + audioArguments
        arguments += TransportStreamOutput.options
        var environment: [String: String] = [:]
        if case .encode(_, let recipe) = video { environment = recipe.environment }
        return FFmpegCommand(role: .encoder, arguments: arguments, environment: environment)
    }

    /// FFmpeg writes the first packet 90 to 110 ms after exec if the feed holds a GOP. Probing 100 ms of media costs
    /// 240 to 400 ms. `-analyzeduration 0` would mean seven seconds, and `nobuffer` would drop the first GOP.
    private func input(for ffmpeg: FFmpegCapabilities) -> [String] {
        var findsRate = false
        if case .encode(let settings, let recipe) = video { findsRate = goesByInputRate(settings, recipe, ffmpeg) }
        let probing =
            findsRate
            // Probe up to the first two frames, at most half a second of media: they carry the rate.
            ? ["-probesize", "5000000", "-analyzeduration", "500000", "-fpsprobesize", "1"]
            : ["-probesize", "100000", "-analyzeduration", "1"]
        return ["-copyts"] + probing + ["-f", "mpegts", "-i", "pipe:0"]
    }

    /// Whether FFmpeg has to find the frame rate in the stream, because it can be neither stated nor set by a filter.
    ///
    /// With so little probing FFmpeg often assumes 90000 frames per second (whenever audio arrives first), and an
    /// encoder that uses this rate divides its bitrate by it.
    private func goesByInputRate(
        _ settings: VideoSettings, _ recipe: any EncoderRecipe, _ ffmpeg: FFmpegCapabilities
    ) -> Bool {
        recipe.needsStatedRate && settings.frameRate == nil && !(ffmpeg.acceptsRateWithPassthrough && inputRate != nil)
    }

    /// Whether FFmpeg keeps its filters when the frame size changes.
    ///
    /// Otherwise FFmpeg creates the filters again, and loses the frame that the rate conversion holds. This needs a
    /// first filter that accepts every frame size.
    private var takesEverySize: Bool {
        guard case .encode(let settings, let recipe) = video, settings.size != nil else { return false }
        return switch settings.fit {
        case .pad: true
        case .stretch: !recipe.scales || inputSize != nil
        case .crop: inputSize != nil
        }
    }

    /// How long before its first output frame an encoder begins to deinterlace, in ticks. The filter needs the fields
    /// before, because it compares each field with its neighbours.
    private static let fieldContext: Int64 = 18_000

    /// The deinterlacer accepts frames of one size only, so every other frame is first scaled to it, field by field.
    private func deinterlacer(_ settings: VideoSettings, _ ffmpeg: FFmpegCapabilities) -> [String] {
        guard let deinterlacing = settings.deinterlacing, let inputSize else { return [] }
        let start = resume.map { ["trim=start_pts=\($0.videoStart - Self.fieldContext)"] } ?? []
        return start + ["scale=\(inputSize.width):\(inputSize.height):interl=\(settings.deinterlacesAll ? 1 : -1)"]
            + deinterlacing.filters(ffmpeg.deinterlacer, all: settings.deinterlacesAll)
    }

    private func videoArguments(for ffmpeg: FFmpegCapabilities) -> [String] {
        guard case .encode(let settings, let recipe) = video else { return ["-c:v", "copy"] }
        var filters = deinterlacer(settings, ffmpeg)
        if let rate = settings.frameRate {
            // The filter's grid counts from time zero, not from the first frame, so all encoders have the same grid.
            filters += ["fps=\(rate)", "settb=1/90000"]
        }
        // The stream's own time base is 1/90000, so the cut is a whole number and needs no rounding.
        if let resume { filters.append("trim=start_pts=\(resume.videoStart)") }
        filters += recipe.chain(for: settings, arriving: inputSize)
        return ffmpeg.videoOptions(filters: filters, recipe: recipe, rate: settings.frameRate ?? inputRate)
            + recipe.options(for: settings, inputRate: inputRate) + [
                "-force_key_frames", KeyframeGrid.expression(every: settings.keyframeInterval),
            ]
    }

    private var audioArguments: [String] {
        guard case .aac(let bitrate, let rate, let channels) = audio else { return ["-c:a", "copy"] }
        var filters = ["aresample=\(rate):\(AudioTreatment.gapFilling)"]
        if let resume {
            // After the resampler the time base is one sample, so a position on the grid is a whole number.
            filters.append("atrim=start_pts=\(Self.samples(at: resume.audioStart, rate: rate))")
        }
        return [
            "-c:a", "aac", "-b:a", "\(bitrate)", "-ar", "\(rate)", "-ac", "\(channels)",
            "-af", filters.joined(separator: ","),
        ]
    }

    /// Converts 90 kHz ticks to the nearest sample: timestamps on a grid of samples were rounded to ticks.
    static func samples(at ticks: Int64, rate: Int) -> Int64 {
        let product = ticks.multipliedFullWidth(by: Int64(rate))
        let (quotient, remainder) = Int64(90_000).dividingFullWidth(product)
        if remainder * 2 >= 90_000 { return quotient + 1 }
        if remainder * 2 < -90_000 { return quotient - 1 }
        return quotient
    }
}
