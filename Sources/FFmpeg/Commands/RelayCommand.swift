import Redaction

/// A source → MPEG-TS on standard output. The output of an SRT listener is the input of another relay, which reads
/// ``RelaySource/transportStream``.
package struct RelayCommand: Sendable {
    package var source: RelaySource
    /// Treatment of the video. The test source is always encoded, at 6 Mbit/s.
    package var video: RelayVideo
    /// Treatment of the audio. The test source is always encoded, at ``testAudioBitrate``.
    package var audio: RelayAudio
    /// The streams to pass on. Ignored for an SRT listener and for the test picture.
    package var streams: StreamMap
    /// How long a connected source may send nothing before the process gives up (pulls only: FFmpeg's SRT listener does
    /// not apply it to the wait for its first caller).
    package var silence: Duration

    package init(
        source: RelaySource, video: RelayVideo = .copy, audio: RelayAudio = .copy, streams: StreamMap = .first,
        silence: Duration = .seconds(10)
    ) {
        self.source = source
        self.video = video
        self.audio = audio
        self.streams = streams
        self.silence = silence
    }

    /// The bitrate of the test source's audio, in bits per second.
    package static let testAudioBitrate = 128_000

    /// - Throws: ``CommandError`` for an address or a secret that cannot be given to FFmpeg.
    package func command(for ffmpeg: FFmpegCapabilities) throws(CommandError) -> FFmpegCommand {
        let input = try input(for: ffmpeg)
        let describes = source.describesInput
        let preamble = FFmpegCommand.preamble(
            .relay, isTalkative: source.tellsCaller, describesInput: describes,
            measures: source.isCall || describes && video == .copy)
        return FFmpegCommand(
            role: .relay, arguments: preamble + input.arguments + output(for: ffmpeg), secretFile: input.secretFile)
    }

    /// How much of a source FFmpeg probes before the first packet goes out.
    ///
    /// Measured with FFmpeg 5.1.9, from the first media byte in to the first TS byte out: MPEG-TS 1 s with and without
    /// audio (FFmpeg's default waits 4 s).
    private enum Probing {
        /// Muxers let audio lag behind video by several hundred milliseconds, and FFmpeg cannot write a stream that it
        /// has not seen, because its parameters are missing.
        static let network = ["-analyzeduration", "1000000", "-fpsprobesize", "0"]
    }

    private struct Input {
        var arguments: [String]
        var secretFile: SecretFile?
    }

    private func input(for ffmpeg: FFmpegCapabilities) throws(CommandError) -> Input {
        switch source {
        case .transportStream:
            return Input(arguments: Probing.network + ["-f", "mpegts", "-i", "pipe:0"])
        case .srtListen(let address, let passphrase, let latency, _, _):
            var parameters = ["mode=listener", "transtype=live"] + ffmpeg.srtListenerParameters(on: address)
            if let latency { parameters.append("latency=\(latency.wholeMicroseconds)") }
            let url = "srt://\(address)?" + parameters.joined(separator: "&")
            guard let passphrase else {
                // FFmpeg does not parse the stream. It passes messages on as they arrive.
                return Input(arguments: ["-f", "data", "-raw_packet_size", "65536", "-i", url])
            }
            // The caller cannot choose the format, and cannot make FFmpeg open anything else. The same holds without a
            // passphrase.
            return try script(
                url: url, options: [("format_whitelist", "mpegts")], secretOptions: [("passphrase", passphrase)],
                protocols: "file,crypto,data,srt")
        case .pull(let url, let passphrase, let streamID, let password, let tls, let transport):
            var address = try MediaAddress(url)
            if let password { try address.setPassword(password) }
            if address.scheme == "srt", address.parameters.contains(where: { $0 == ("mode", "listener") }) {
                address.addParameters(ffmpeg.srtListenerParameters(on: address.authority))
            }
            return try pull(
                address, passphrase: passphrase, streamID: streamID, password: password, tls: tls, transport: transport,
                for: ffmpeg)
        case .file(let path, let loop):
            return Input(
                arguments: (loop ? ["-stream_loop", "-1"] : []) + ffmpeg.pacingOptions + [
                    "-fpsprobesize", "0", "-protocol_whitelist", "file,crypto,data", "-i", "file:\(path)",
                ])
        case .test(let size, let rate):
            return Input(
                arguments: ffmpeg.pacingOptions + [
                    "-f", "lavfi", "-i",
                    "testsrc2=size=\(size):rate=\(rate)[out0];"
                        + "sine=frequency=220:beep_factor=4:sample_rate=48000,volume=0.1,"
                        + "aformat=channel_layouts=stereo[out1]",
                ])
        }
    }

    private func pull(
        _ address: MediaAddress, passphrase: String?, streamID: String?, password: String?, tls: PeerCheck,
        transport: FFmpegRTSPTransport, for ffmpeg: FFmpegCapabilities
    ) throws(CommandError) -> Input {
        var address = address
        let check = try serverCheck(of: address, tls: tls, for: ffmpeg)
        let options = timeouts(for: address.scheme, transport: transport) + check.options
        var secretOptions: [(name: String, value: String)] = []
        if address.scheme == "srt" {
            let inAddress = address.takeParameter("passphrase")
            if let passphrase = passphrase ?? inAddress { secretOptions.append(("passphrase", passphrase)) }
            // A stream id in the address stays there: FFmpeg versions differ in how they decode it.
            if let streamID {
                _ = address.takeParameter("streamid")
                secretOptions.append(("srt_streamid", streamID))
            }
        }
        // The parts of an address that are masked in the log must not be in an argument list either.
        guard !secretOptions.isEmpty || URLMask.mask(address.text) != address.text else {
            let allowed = check.protocols.map { ["-protocol_whitelist", $0] } ?? []
            let all = allowed + options.flatMap { ["-\($0.name)", $0.value] }
            return Input(arguments: Probing.network + all + ["-i", address.text])
        }
        return try script(
            url: address.text, options: options, secretOptions: secretOptions,
            secrets: URLMask.secrets(in: address.text) + [password].compactMap(\.self),
            protocols: "file," + (check.protocols ?? Self.protocols))
    }

    /// The timeouts of a pulled address, and the options of its protocol except those of TLS.
    private func timeouts(for scheme: String, transport: FFmpegRTSPTransport) -> [(name: String, value: String)] {
        let microseconds = String(silence.wholeMicroseconds)
        return switch scheme {
        case "rtsp", "rtsps": transport.options + [("timeout", microseconds)]
        case "rtmp", "rtmps": [("rtmp_live", "live"), ("tcp_nodelay", "1"), ("rw_timeout", microseconds)]
        case "srt", "udp", "tcp": [("timeout", microseconds)]
        case "http", "https": [("rw_timeout", microseconds)]
        default: []
        }
    }

    /// The options that check the certificate of a pulled server. `protocols` limits the addresses that it may lead to.
    private func serverCheck(
        of address: MediaAddress, tls: PeerCheck, for ffmpeg: FFmpegCapabilities
    ) throws(CommandError) -> (options: [(name: String, value: String)], protocols: String?) {
        var options: [(name: String, value: String)] = []
        var protocols: String?
        switch address.scheme {
        case "https" where address.isPlaylist && !ffmpeg.checksServersOfPlaylists && tls != .none:
            throw .badAddress(
                address.text,
                reason:
                    """
                    this FFmpeg does not check the certificates of the servers that a playlist names: install FFmpeg \
                    9, or write tls: { verify: none } to use the playlist without a check
                    """)
        case "https" where tls != .none:
            options += tls.options
            // Every address that a checked server names has to be reached by TLS.
            protocols = Self.encryptedProtocols
            if !ffmpeg.checksServersOfPlaylists { options.append(("format_whitelist", Self.containers)) }
        case "rtmps", "https": options += tls.options
        case "rtsps":
            // FFmpeg before 9 ignores these options, and does not check the certificate.
            if ffmpeg.checksRTSPServers {
                options += tls.options
            } else if tls != .none {
                throw .badAddress(
                    address.text,
                    reason:
                        """
                        this FFmpeg does not check the certificate of an rtsps server: install FFmpeg 9, or write \
                        tls: { verify: none } to connect without a check
                        """
                )
            }
        default: break
        }
        return (options, protocols)
    }

    /// The protocols that a pulled address, and the addresses that it leads to, may use.
    private static let protocols = "crypto,data,tcp,tls,udp,rtp,rtmp,rtmps,http,https,httpproxy,srt"
    /// Those of the ``protocols`` that an address may use if the certificate of its server is checked.
    private static let encryptedProtocols = "crypto,data,tcp,tls,https,httpproxy"

    /// Formats that hold their media themselves. Playlists and other formats that name further addresses are left out.
    static let containers =
        "mpegts,flv,live_flv,mov,matroska,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,mjpeg,mpjpeg,"
        + "avi,asf,nut,ogg,mxf,gxf,dv,wtv,aac,mp3"

    /// Returns the arguments for an input with a secret. A preset file works for outputs only, so the input is written
    /// in an ffconcat script.
    private func script(
        url: String, options: [(name: String, value: String)], secretOptions: [(name: String, value: String)],
        secrets: [String] = [], protocols: String
    ) throws(CommandError) -> Input {
        for option in secretOptions where option.value.isEmpty { throw .emptySecret(option: option.name) }
        // The script's demuxer probes the streams again, so both get the same limits.
        let probing: [(name: String, value: String)] = [("analyzeduration", "1000000"), ("fpsprobesize", "0")]
        let file = try SecretFile.script(
            url: url, options: probing + options + secretOptions, secrets: secrets + secretOptions.map(\.value))
        return Input(
            arguments: Probing.network + [
                "-protocol_whitelist", protocols, "-f", "concat", "-safe", "0", "-i", file.token,
            ], secretFile: file)
    }

    private func output(for ffmpeg: FFmpegCapabilities) -> [String] {
        guard case .srtListen(_, let passphrase, _, _, let firstStreamsOnly) = source else {
            return encoding(for: ffmpeg) + TransportStreamOutput.relay
        }
        guard passphrase != nil else {
            return ["-map", "0", "-c", "copy", "-f", "data", "-flush_packets", "1", "pipe:1"]
        }
        let all = ["-ignore_unknown", "-map", "0", "-map", "-0:s?", "-map", "-0:d?", "-map", "-0:t?"]
        return (firstStreamsOnly ? TransportStreamOutput.mapFirstStreams : all) + ["-c", "copy"]
            + TransportStreamOutput.handedOn
    }

    private func encoding(for ffmpeg: FFmpegCapabilities) -> [String] {
        var video = video
        var audio = audio
        var streams = streams
        if case .test = source {
            streams = .first
            if case .copy = video { video = .mezzanine(bitrate: 6_000_000, keyframeInterval: .milliseconds(500)) }
            if case .copy = audio { audio = .aac(bitrate: Self.testAudioBitrate) }
        }
        var arguments = streams.arguments
        switch video {
        case .copy:
            arguments += ["-c:v", "copy"]
        case .mezzanine(let bitrate, let keyframeInterval, let deinterlacing):
            let deinterlacer = deinterlacing?.filters(ffmpeg.deinterlacer) ?? []
            arguments +=
                ffmpeg.timestampOptions() + [
                    "-vf", (deinterlacer + ["format=yuv420p"]).joined(separator: ","),
                    "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
                    "-b:v", "\(bitrate)", "-maxrate", "\(bitrate)", "-bufsize", "\(bitrate)",
                    "-bf", "0", "-sc_threshold", "0", "-g", "600",
                    "-force_key_frames", KeyframeGrid.expression(every: keyframeInterval),
                ]
        }
        switch audio {
        case .copy:
            arguments += ["-c:a", "copy"]
        case .aac(let bitrate, let rate):
            arguments += [
                "-c:a", "aac", "-b:a", "\(bitrate)", "-ac", "2",
                "-af", "aresample=\(rate):\(AudioTreatment.gapFilling)",
            ]
        }
        return arguments
    }
}
