package import MediaTypes

/// What one FFmpeg can do, as far as command lines depend on it. Asked of the program itself; the version decides only
/// what FFmpeg does not tell.
package struct FFmpegCapabilities: Sendable, Hashable, Codable {
    package let version: FFmpegVersion
    /// Names of the encoders compiled in. Listing is not having: only a trial encode proves one.
    package let encoders: Set<String>
    /// Names of the decoders compiled in, and the codecs that those of libraries decode.
    package let decoders: Set<String>
    package let filters: Set<String>
    package let bitstreamFilters: Set<String>
    package let inputProtocols: Set<String>
    package let outputProtocols: Set<String>
    /// Container formats and capture devices that can be read.
    package let demuxers: Set<String>
    /// Container formats that can be written.
    package let muxers: Set<String>
    /// Names of the program's own options, without the dash.
    package let options: Set<String>
    /// Names of the options of its SRT; empty where it has none.
    package let srtOptions: Set<String>
    /// Names of the options of its RTSP; empty where it has none.
    package let rtspOptions: Set<String>
    /// Names of the options of its libx265; empty where it has none.
    package let x265Options: Set<String>
    /// Names of what it can decode with.
    package let hwaccels: Set<String>
    /// `-r` may stand beside `-fps_mode passthrough`: an encoder is told the frame rate, and no frame is moved. FFmpeg
    /// 6 and later refuse it as a contradiction (fftools/ffmpeg_mux_init.c).
    package let acceptsRateWithPassthrough: Bool
    /// Options of formats and protocols in a preset file (`-fpre`) reach the output. In FFmpeg 9.0 they stay in a
    /// global list that nothing reads any more (`opt_preset` in fftools/ffmpeg_opt.c).
    package let presetReachesOutput: Bool

    package init(
        version: FFmpegVersion, encoders: Set<String>, decoders: Set<String>, filters: Set<String>,
        bitstreamFilters: Set<String>, inputProtocols: Set<String>,
        outputProtocols: Set<String>, demuxers: Set<String>, muxers: Set<String>, options: Set<String>,
        srtOptions: Set<String>,
        rtspOptions: Set<String>, x265Options: Set<String>, hwaccels: Set<String>, acceptsRateWithPassthrough: Bool,
        presetReachesOutput: Bool
    ) {
        self.version = version
        self.encoders = encoders
        self.decoders = decoders
        self.filters = filters
        self.bitstreamFilters = bitstreamFilters
        self.inputProtocols = inputProtocols
        self.outputProtocols = outputProtocols
        self.demuxers = demuxers
        self.muxers = muxers
        self.options = options
        self.srtOptions = srtOptions
        self.rtspOptions = rtspOptions
        self.x265Options = x265Options
        self.hwaccels = hwaccels
        self.acceptsRateWithPassthrough = acceptsRateWithPassthrough
        self.presetReachesOutput = presetReachesOutput
    }

    /// Whether FLV, and with it RTMP, carries HEVC and AV1. FFmpeg lists no codecs of a container, so the version
    /// decides; a build that tells no number at all is taken for a new one.
    package var hasEnhancedFLV: Bool {
        version.equivalent.map { $0 >= FFmpegVersion.Release(major: 6, minor: 1) } ?? true
    }

    /// Inputs, filters, encoders and outputs run in threads of their own (FFmpeg 7.0 and later), so that audio may come
    /// later behind the frames. FFmpeg does not tell.
    var runsInThreads: Bool { version.equivalent.map { $0 >= FFmpegVersion.Release(major: 7, minor: 0) } ?? true }

    /// What gives a publisher its key states a rate of its own, which reaches the header of the stream. It has to be
    /// stated again.
    package var needsRateOfPublishers: Bool { !presetReachesOutput }

    /// The certificate of an RTSP server can be checked.
    var checksRTSPServers: Bool { rtspOptions.contains("tls_verify") }
    /// The certificates of the servers that an HLS or DASH playlist names are checked: by the authorities that the
    /// system trusts, for the options of the playlist's own server are not handed on.
    var checksServersOfPlaylists: Bool { checksRTSPServers }

    /// The best filter that deinterlaces; `nil` where there is none.
    package var deinterlacer: String? { ["bwdif", "yadif"].first { filters.contains($0) } }

    // MARK: What command lines are built from

    /// The settings without what this FFmpeg has no filter for.
    package func possible(_ settings: VideoSettings) -> VideoSettings {
        var possible = settings
        if deinterlacer == nil { possible.deinterlacing = nil }
        let isFitting =
            switch settings.fit {
            case .stretch: true
            case .pad: filters.contains("pad")
            case .crop: filters.contains("crop")
            }
        if !isFitting { possible.fit = .stretch }
        return possible
    }

    /// Every frame keeps its time; with FFmpeg's own time base it would move by up to half a frame.
    ///
    /// A number for the time base, since all versions take it: `-1` for the source's is refused by FFmpeg 9, and the
    /// word `demux` by those before 6.1.
    ///
    /// - Parameter ticks: How many there are in a second; by default those of MPEG-TS, in which the feeds count.
    func timestampOptions(ticks: Int = 90_000) -> [String] {
        [options.contains("fps_mode") ? "-fps_mode" : "-vsync", "passthrough", "-enc_time_base", "1:\(ticks)"]
    }

    /// An input is read at its own speed. FFmpeg 6.1 and later would read the first half second at once; a source is no
    /// faster than the clock.
    var pacingOptions: [String] {
        ["-re"] + (options.contains("readrate_initial_burst") ? ["-readrate_initial_burst", "0.001"] : [])
    }

    /// More parameters for the address of an SRT listener. On the IPv6 wildcard it serves IPv4 too, which newer
    /// versions of libsrt have to be told; an FFmpeg before 9 cannot tell them.
    ///
    /// - Parameter authority: Host and port.
    func srtListenerParameters(on authority: String) -> [String] {
        authority.hasPrefix("[::]") && srtOptions.contains("ipv6only") ? ["ipv6only=0"] : []
    }

    /// An option of the program with its value, where the program has it.
    func whereKnown(_ option: String, _ value: String) -> [String] {
        options.contains(option.prefix { $0 != ":" }.description) ? ["-\(option)", value] : []
    }

    /// Filters, times and the choice of the encoder, alike for groups and trials: a trial proves the whole of it.
    ///
    /// - Parameter rate: Frames per second, for an encoder that goes by what FFmpeg states; `nil` where it is not
    ///   known. An FFmpeg that takes no such statement goes by the rate of the input.
    package func videoOptions(filters: [String], recipe: any EncoderRecipe, rate: FrameRate?) -> [String] {
        var options = ["-vf", filters.joined(separator: ",")] + timestampOptions()
        if recipe.needsStatedRate, acceptsRateWithPassthrough, let rate { options += ["-r", "\(rate)"] }
        // Captions go with the picture by themselves, except here.
        let captions = recipe.encoder == "libx265" && x265Options.contains("a53cc") ? ["-a53cc", "1"] : []
        return options + ["-c:v", recipe.encoder] + captions
    }
}
