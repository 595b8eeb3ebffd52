package import MediaTypes

/// MPEG-TS on standard input → MPEG-TS on standard output, the source's timestamps kept to the tick.
package struct EncoderCommand: Sendable {
    package var video: VideoTreatment
    package var audio: AudioTreatment
    /// Frames per second that arrive; the feed knows it better than FFmpeg's probing does.
    package var inputRate: FrameRate?
    /// Frames per second that the stream announces, true or not; `nil` where it announces none.
    package var announcedRate: FrameRate?
    /// The size of the pictures that arrive, where it is known.
    package var inputSize: FrameSize?
    /// `nil` encodes everything that comes.
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
            if goesByInputRate(settings, recipe, ffmpeg), !isFound(by: ffmpeg) { settings.rate = inputRate }
            possible.video = .encode(settings, with: recipe)
        }
        return possible.completeCommand(for: ffmpeg)
    }

    /// Whether FFmpeg finds the rate of the input by itself, in the first two frames and in what the stream announces.
    ///
    /// Where it does not, frames go on a grid of that rate, since only the `fps` filter states one: `setpts` and
    /// `interleave` unset it, and the others multiply the one that FFmpeg found. With FFmpeg 7.1 and 9.0, 8 frames a
    /// second and more are found where they are announced (4 become 8). Where another rate is, 15 become 30, 4 become
    /// 120, and 25 that come unevenly what is announced.
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
        arguments += input(for: ffmpeg) + TransportStreamOutput.mapping + videoArguments(for: ffmpeg) + audioArguments
        arguments += TransportStreamOutput.options
        var environment: [String: String] = [:]
        if case .encode(_, let recipe) = video { environment = recipe.environment }
        return FFmpegCommand(role: .encoder, arguments: arguments, environment: environment)
    }

    /// First packet out 90 to 110 ms after exec from a feed that holds a GOP. A longer look (100 ms of media) costs
    /// 240 to 400 ms. `-analyzeduration 0` would mean seven seconds; `nobuffer` would drop the first GOP.
    private func input(for ffmpeg: FFmpegCapabilities) -> [String] {
        var findsRate = false
        if case .encode(let settings, let recipe) = video { findsRate = goesByInputRate(settings, recipe, ffmpeg) }
        let look =
            findsRate
            // Until the first two frames, at most half a second of media: they carry the rate.
            ? ["-probesize", "5000000", "-analyzeduration", "500000", "-fpsprobesize", "1"]
            : ["-probesize", "100000", "-analyzeduration", "1"]
        return ["-copyts"] + look + ["-f", "mpegts", "-i", "pipe:0"]
    }

    /// With so little probing FFmpeg often takes 90000 frames per second for the rate (whenever audio comes first), and
    /// an encoder that believes it shares its bits out among them. Where the rate can be neither stated nor comes from
    /// a filter, FFmpeg has to find it in the stream.
    private func goesByInputRate(
        _ settings: VideoSettings, _ recipe: any EncoderRecipe, _ ffmpeg: FFmpegCapabilities
    ) -> Bool {
        recipe.needsStatedRate && settings.rate == nil && !(ffmpeg.acceptsRateWithPassthrough && inputRate != nil)
    }

    /// Where pictures of another size begin, FFmpeg would make its filters anew, and the picture that the conversion of
    /// the rate holds would be gone. The first of ours that looks at a picture is one that takes whatever comes.
    private var takesEverySize: Bool {
        guard case .encode(let settings, let recipe) = video, settings.size != nil else { return false }
        return switch settings.fit {
        case .pad: true
        case .stretch: !recipe.scales || inputSize != nil
        case .crop: inputSize != nil
        }
    }

    /// How much before its first frame an encoder begins to deinterlace, in ticks: a field is compared with those
    /// around it.
    private static let fieldContext: Int64 = 18_000

    /// The deinterlacer takes frames of one size alone, so every other one is brought to that first, field by field.
    private func deinterlacer(_ settings: VideoSettings, _ ffmpeg: FFmpegCapabilities) -> [String] {
        guard let deinterlacing = settings.deinterlacing, let inputSize else { return [] }
        let start = resume.map { ["trim=start_pts=\($0.videoStart - Self.fieldContext)"] } ?? []
        return start + ["scale=\(inputSize.width):\(inputSize.height):interl=\(settings.deinterlacesAll ? 1 : -1)"]
            + deinterlacing.filters(ffmpeg.deinterlacer, all: settings.deinterlacesAll)
    }

    private func videoArguments(for ffmpeg: FFmpegCapabilities) -> [String] {
        guard case .encode(let settings, let recipe) = video else { return ["-c:v", "copy"] }
        var filters = deinterlacer(settings, ffmpeg)
        if let rate = settings.rate {
            // The filter's grid counts from time zero, not from the first frame, so every encoder has the same one.
            filters += ["fps=\(rate)", "settb=1/90000"]
        }
        // The stream's own time base is 1/90000, so the cut is a whole number and nothing is rounded.
        if let resume { filters.append("trim=start_pts=\(resume.videoStart)") }
        filters += recipe.chain(for: settings, arriving: inputSize)
        return ffmpeg.videoOptions(filters: filters, recipe: recipe, rate: settings.rate ?? inputRate)
            + recipe.options(for: settings, inputRate: inputRate) + [
                "-force_key_frames", KeyframeGrid.expression(every: settings.keyframe),
            ]
    }

    private var audioArguments: [String] {
        guard case .aac(let bitrate, let rate, let channels) = audio else { return ["-c:a", "copy"] }
        var filters = ["aresample=\(rate):\(AudioTreatment.gapFilling)"]
        if let resume {
            // After the resampler the time base is one sample; a place on the grid is a whole number of them.
            filters.append("atrim=start_pts=\(Self.samples(at: resume.audioStart, rate: rate))")
        }
        return [
            "-c:a", "aac", "-b:a", "\(bitrate)", "-ar", "\(rate)", "-ac", "\(channels)",
            "-af", filters.joined(separator: ","),
        ]
    }

    /// 90 kHz ticks in samples, to the nearest: PTS of a grid of samples were rounded to ticks.
    static func samples(at ticks: Int64, rate: Int) -> Int64 {
        let product = ticks.multipliedFullWidth(by: Int64(rate))
        let (quotient, remainder) = Int64(90_000).dividingFullWidth(product)
        if remainder * 2 >= 90_000 { return quotient + 1 }
        if remainder * 2 < -90_000 { return quotient - 1 }
        return quotient
    }
}
