package import MediaTypes
import Redaction

/// MPEG-TS on standard input → a target, without encoding.
package struct PublisherCommand: Sendable, Hashable {
    package var target: PublisherTarget
    /// Frames per second, if known.
    package var rate: FrameRate?
    /// How long the target may accept no data before the process gives up (RTMP).
    package var stall: Duration

    /// How long a process may publish by RTMP. FFmpeg's FLV has 31 bits of milliseconds, 24.8 days. After that its
    /// timestamps begin at 0 again, and no target accepts that as a continuation.
    package static let longestConnection = Duration.seconds(24 * 24 * 3600)

    /// How long an RTMP server may take to answer before FFmpeg gives up, by default.
    package static let answerPatience = Duration.seconds(10)

    package init(target: PublisherTarget, rate: FrameRate? = nil, stall: Duration = answerPatience) {
        self.target = target
        self.rate = rate
        self.stall = stall
    }

    /// - Throws: ``CommandError`` for an address or a secret that cannot be given to FFmpeg.
    package func command(for ffmpeg: FFmpegCapabilities) throws(CommandError) -> FFmpegCommand {
        let output = try output(for: ffmpeg)
        return FFmpegCommand(
            role: .publisher,
            arguments: FFmpegCommand.preamble(.publisher) + output.input + ["-c", "copy"] + output.arguments,
            secretFile: output.secretFile, environment: output.environment)
    }

    /// FLV's header needs the video's size and the audio's parameters, so FFmpeg probes 100 ms of media. From a feed
    /// that holds a GOP it then connects 70 ms after exec and sends 45 ms later. If media arrives slowly, it connects
    /// after 200 ms and sends after 245 ms. With 1 µs, enough for an encoder, the header fails whenever audio arrives
    /// first. FFmpeg's default takes 7 s.
    ///
    /// On a busy machine the audio of a relay of FFmpeg 7.1 arrives more than 100 ms after the frames, and the header
    /// then fails for lack of a sample rate. An FFmpeg that runs in threads therefore probes half a second.
    private func streams(for ffmpeg: FFmpegCapabilities) -> [String] {
        let look = ffmpeg.runsInThreads ? "500000" : "100000"
        return [
            "-probesize", "5000000", "-analyzeduration", look, "-fpsprobesize", "0", "-f", "mpegts", "-i", "pipe:0",
        ]
            + TransportStreamOutput.mapFirstStreams
    }

    /// SRT carries the MPEG-TS of the feed as it is, so FFmpeg does not demux it: its muxer would hold each frame until
    /// the audio that belongs after it has arrived, and would write half of the frames in pairs. Each read fills a
    /// datagram of seven TS packets, or returns the bytes that are available.
    private static let bytes = [
        "-blocksize", "\(datagram)", "-f", "data", "-raw_packet_size", "\(datagram)", "-i", "pipe:0", "-map", "0",
    ]
    private static let datagram = 7 * 188

    private struct Output {
        var input: [String]
        var arguments: [String]
        var secretFile: SecretFile?
        var environment: [String: String] = [:]
    }

    private func output(for ffmpeg: FFmpegCapabilities) throws(CommandError) -> Output {
        switch target {
        case .rtmp(let url, let key, let tls):
            return try rtmp(url, key: key, tls: tls, for: ffmpeg)
        case .srt(let url, let passphrase, let streamID, let latency):
            return try srt(url, passphrase: passphrase, streamID: streamID, latency: latency, for: ffmpeg)
        case .record(let folder, let name, let segment, let take):
            return record(folder: folder, name: name, segment: segment, take: take, for: ffmpeg)
        }
    }

    private func rtmp(_ url: String, key: String?, tls: PeerCheck, for ffmpeg: FFmpegCapabilities) throws(CommandError)
        -> Output
    {
        let (address, options) = try Self.splitRTMP(url, key: key)
        try refuseWhatIsHidden(in: address, of: url)
        let file = try SecretFile.preset(options, for: ffmpeg)
        return Output(
            input: streams(for: ffmpeg),
            arguments: [
                // The next encoder may have other parameter sets. FLV has them in a header of their own, and this
                // filter makes the muxer write a new header. Where they are the same, nothing changes.
                "-bsf:v", "extract_extradata",
                "-rw_timeout", "\(stall.wholeMicroseconds)", "-tcp_nodelay", "1",
                // The header of a live stream cannot be rewritten later.
                "-flvflags", "no_duration_filesize", "-flush_packets", "1",
                "-fpre", file.token,
            ] + (address.scheme == "rtmps" ? tls.options.flatMap { ["-\($0.name)", $0.value] } : [])
                + (ffmpeg.needsRateOfPublishers ? rate.map { ["-r", "\($0)"] } ?? [] : []) + [
                    "-f", "flv", address.text,
                ], secretFile: file)
    }

    /// Splits the address of an RTMP target into the server's address for the arguments, and the options with the
    /// stream key and the application for the secret file.
    private static func splitRTMP(
        _ url: String, key: String?
    ) throws(CommandError) -> (address: MediaAddress, options: [(name: String, value: String)]) {
        var address = try MediaAddress(url)
        guard address.scheme == "rtmp" || address.scheme == "rtmps" else {
            throw .badAddress(
                url, reason: "an RTMP target needs an address that begins with rtmp:// or rtmps://: correct the address"
            )
        }
        guard address.password == nil else {
            throw .badAddress(
                url,
                reason: "FFmpeg takes user:password only where every user can read it: use a stream key instead")
        }
        // The @ may end a password that contains a slash. The text before it is then not an application.
        guard !address.path.contains("@") else {
            throw .badAddress(
                url,
                reason:
                    """
                    an @ after the host could belong to a password: if it belongs to the stream key, set the key \
                    with key:
                    """)
        }
        var path = address.path
        while path.last == "/" { path.removeLast() }
        // FFmpeg would treat everything after the application as a part of the stream name.
        var key = key
        if key == nil {
            guard let slash = path.lastIndex(of: "/") else {
                throw .badAddress(
                    url, reason: "the stream key is missing: set it with key:, or end the address with it")
            }
            key = String(path[path.index(after: slash)...]) + (address.query.map { "?" + $0 } ?? "")
            address.query = nil
            path = String(path[..<slash])
        }
        guard !path.isEmpty else {
            throw .badAddress(
                url, reason: "the application is missing: end the address with it, as in rtmp://host/live")
        }
        var options = [(name: "rtmp_playpath", value: key ?? "")]
        // FFmpeg itself cuts the application at its first slash. The text after the slash may be a token.
        if path.contains("/") || address.query != nil {
            options.append(("rtmp_app", path + (address.query.map { "?" + $0 } ?? "")))
        }
        address.path = String(path.prefix { $0 != "/" })
        address.query = nil
        return (address, options)
    }

    private func srt(
        _ url: String, passphrase: String?, streamID: String?, latency: Duration?, for ffmpeg: FFmpegCapabilities
    ) throws(CommandError) -> Output {
        var address = try MediaAddress(url)
        guard address.scheme == "srt" else {
            throw .badAddress(
                url, reason: "an SRT target needs an address that begins with srt://: correct the address")
        }
        guard address.userInfo == nil else {
            throw .badAddress(
                url, reason: "SRT has no user and password: use a passphrase or a stream id instead")
        }
        var secrets: [(name: String, value: String)] = []
        let passphraseInAddress = address.takeParameter("passphrase")
        let streamIDInAddress = address.takeParameter("streamid")
        if let value = passphrase ?? passphraseInAddress { secrets.append(("passphrase", value)) }
        if let value = streamID ?? streamIDInAddress { secrets.append(("srt_streamid", value)) }
        guard address.path.isEmpty else {
            throw .badAddress(
                url, reason: "an SRT target's address has no path: end it with the port, or with ?name=value")
        }
        // A parameter that is not known to be harmless may be a secret, even if only its name is misspelt.
        for parameter in address.parameters
        where URLMask.mask("srt://h?\(parameter.name)=\(parameter.value)").hasSuffix(URLMask.mask) {
            guard !parameter.name.isEmpty, parameter.name.utf8.allSatisfy({ (97...122).contains($0) || $0 == 95 }),
                let value = address.takeParameter(parameter.name)
            else {
                throw .badAddress(
                    url, reason: "the text after the ? is not name=value, joined by &: correct the address")
            }
            secrets.append((parameter.name, value))
        }
        try refuseWhatIsHidden(in: address, of: url)
        if let latency { address.addParameters(["latency=\(latency.wholeMicroseconds)"]) }
        address.addParameters(["transtype=live", "pkt_size=\(Self.datagram)"])
        let file = secrets.isEmpty ? nil : try SecretFile.preset(secrets, for: ffmpeg)
        return Output(
            input: Self.bytes,
            arguments: (file.map { ["-fpre", $0.token] } ?? []) + ["-f", "data", "-flush_packets", "1", address.text],
            secretFile: file)
    }

    /// Refuses an address with a secret in it: every user of the machine can read an argument list.
    private func refuseWhatIsHidden(in address: MediaAddress, of url: String) throws(CommandError) {
        guard URLMask.mask(address.text) == address.text else {
            throw .badAddress(
                url,
                reason:
                    """
                    a part of this address could be a secret, and every user could read it: write \
                    protocol://host:port, and the secret in its own key
                    """
            )
        }
    }

    /// MPEG-TS, because the files stay playable after a power failure: after SIGKILL the newest Matroska file and the
    /// newest fragmented MP4 could not be opened at all, and the newest MPEG-TS file lost its last frames only.
    private func record(folder: String, name: String, segment: Duration, take: Int, for ffmpeg: FFmpegCapabilities)
        -> Output
    {
        let pattern = RecordingFiles.pattern(folder: folder, name: name, take: take)
        return Output(
            input: streams(for: ffmpeg),
            arguments: [
                "-f", "segment", "-segment_format", "mpegts", "-segment_time", segment.seconds,
                "-segment_format_options", "flush_packets=1",
                "-reset_timestamps", "1", "-strftime", "1", pattern,
            ],
            // Local time has one hour twice in autumn, and files of the second would overwrite files of the first.
            environment: ["TZ": "UTC"])
    }
}
