package import MediaTypes

/// The capabilities of one FFmpeg, as far as command lines depend on them. The program itself lists them. The version
/// decides only about a capability that FFmpeg does not list.
package struct FFmpegCapabilities: Sendable, Hashable, Codable {
    package let version: FFmpegVersion
    /// Names of the encoders compiled in. An encoder in the list may still not work: only a trial encode proves it.
    package let encoders: Set<String>
    /// Names of the decoders compiled in, and the codecs of library decoders.
    package let decoders: Set<String>
    package let filters: Set<String>
    package let bitstreamFilters: Set<String>
    package let inputProtocols: Set<String>
    package let outputProtocols: Set<String>
    /// Container formats and capture devices that it can read.
    package let demuxers: Set<String>
    /// Container formats that it can write.
    package let muxers: Set<String>
    /// Names of the program's own options, without the dash.
    package let options: Set<String>
    /// Names of its SRT options. Empty without SRT.
    package let srtOptions: Set<String>
    /// Names of its RTSP options. Empty without RTSP.
    package let rtspOptions: Set<String>
    /// Names of its libx265 options. Empty without libx265.
    package let x265Options: Set<String>
    /// Names of its hardware acceleration methods.
    package let hwaccels: Set<String>
    /// Whether `-r` is allowed with `-fps_mode passthrough`: the encoder gets the frame rate, and no frame is moved.
    /// FFmpeg 6 and later refuse it as a contradiction (fftools/ffmpeg_mux_init.c).
    package let acceptsRateWithPassthrough: Bool
    /// Whether options of formats and protocols in a preset file (`-fpre`) reach the output. In FFmpeg 9.0 they stay in
    /// a global list that is no longer read (`opt_preset` in fftools/ffmpeg_opt.c).
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
    /// decides. A build that prints no version number counts as new.
    package var hasEnhancedFLV: Bool {
        version.equivalent.map { $0 >= FFmpegVersion.Release(major: 6, minor: 1) } ?? true
    }

    /// Whether inputs, filters, encoders and outputs run in threads of their own (FFmpeg 7.0 and later), so that audio
    /// may arrive later than its frames. FFmpeg does not list this.
    var runsInThreads: Bool { version.equivalent.map { $0 >= FFmpegVersion.Release(major: 7, minor: 0) } ?? true }

    /// Whether a publisher has to state the frame rate. The preset that passes its key on also sets a rate, which would
    /// reach the header of the stream.
    package var needsRateOfPublishers: Bool { !presetReachesOutput }

    /// Whether it can check the certificate of an RTSP server.
    var checksRTSPServers: Bool { rtspOptions.contains("tls_verify") }
    /// Whether it checks the certificates of the servers that an HLS or DASH playlist names. It uses the authorities
    /// that the system trusts, because the options of the playlist's own server are not passed on.
    var checksServersOfPlaylists: Bool { checksRTSPServers }

    /// The best deinterlacing filter. `nil` if it has none.
    package var deinterlacer: String? { ["bwdif", "yadif"].first { filters.contains($0) } }

    // MARK: Parts of command lines

    /// The settings, without those that this FFmpeg has no filter for.
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

    /// Keeps the timestamp of every frame. With FFmpeg's own time base a frame would move by up to half a frame.
    ///
    /// The time base is a number, because all versions accept it: FFmpeg 9 refuses `-1` for the source's time base, and
    /// versions before 6.1 refuse the word `demux`.
    ///
    /// - Parameter ticks: Ticks per second. The default is that of MPEG-TS and of the feeds.
    func timestampOptions(ticks: Int = 90_000) -> [String] {
        [options.contains("fps_mode") ? "-fps_mode" : "-vsync", "passthrough", "-enc_time_base", "1:\(ticks)"]
    }

    /// Reads an input at its own speed. FFmpeg 6.1 and later would read the first half second at once, but a source
    /// must not be faster than the clock.
    var pacingOptions: [String] {
        ["-re"] + (options.contains("readrate_initial_burst") ? ["-readrate_initial_burst", "0.001"] : [])
    }

    /// More parameters for the address of an SRT listener. A listener on the IPv6 wildcard also accepts IPv4, for which
    /// newer versions of libsrt need a parameter. An FFmpeg before 9 has no option for it.
    ///
    /// - Parameter authority: Host and port.
    func srtListenerParameters(on authority: String) -> [String] {
        authority.hasPrefix("[::]") && srtOptions.contains("ipv6only") ? ["ipv6only=0"] : []
    }

    /// A program option with its value, if the program has the option.
    func whereKnown(_ option: String, _ value: String) -> [String] {
        options.contains(option.prefix { $0 != ":" }.description) ? ["-\(option)", value] : []
    }

    /// The options for filters, timestamps and the encoder. Groups and trials use the same, so a trial proves all of
    /// them.
    ///
    /// - Parameter rate: Frames per second, for an encoder that uses the rate that FFmpeg states. `nil` if unknown. An
    ///   FFmpeg that cannot state it uses the rate of the input.
    package func videoOptions(filters: [String], recipe: any EncoderRecipe, rate: FrameRate?) -> [String] {
        var options = ["-vf", filters.joined(separator: ",")] + timestampOptions()
        if recipe.needsStatedRate, acceptsRateWithPassthrough, let rate { options += ["-r", "\(rate)"] }
        // Captions stay with the video by default, except with this encoder.
        let captions = recipe.encoder == "libx265" && x265Options.contains("a53cc") ? ["-a53cc", "1"] : []
        return options + ["-c:v", recipe.encoder] + captions
    }
}
