package import MediaTypes
import Redaction

/// MPEG-TS on standard input → a target, nothing encoded.
package struct PublisherCommand: Sendable, Hashable {
    package var target: PublisherTarget
    /// Frames per second, where they are known.
    package var rate: FrameRate?
    /// How long the target may take nothing before the process gives up (RTMP).
    package var stall: Duration

    /// How long a process may go on publishing by RTMP. FFmpeg's FLV has 31 bits of milliseconds, 24.8 days; behind
    /// them its times begin at 0 again, and no target takes that for going on.
    package static let longestConnection = Duration.seconds(24 * 24 * 3600)

    /// How long an RTMP server may take for an answer before FFmpeg gives up, unless it is told otherwise.
    package static let answerPatience = Duration.seconds(10)

    package init(target: PublisherTarget, rate: FrameRate? = nil, stall: Duration = answerPatience) {
        self.target = target
        self.rate = rate
        self.stall = stall
    }

    /// - Throws: ``CommandError`` for an address or a secret that FFmpeg cannot be given.
    package func command(for ffmpeg: FFmpegCapabilities) throws(CommandError) -> FFmpegCommand {
        let output = try output(for: ffmpeg)
        return FFmpegCommand(
            role: .publisher,
            arguments: FFmpegCommand.preamble(.publisher) + output.input + ["-c", "copy"] + output.arguments,
            secretFile: output.secretFile, environment: output.environment)
    }

    /// FLV's header needs the picture's size and the sound's parameters, so this looks at 100 ms of media: connected 70
    /// ms after exec and sending 45 ms later from a feed that holds a GOP; at 200/245 ms where media only trickles in.
    /// With 1 µs, enough for an encoder, the header fails whenever audio comes first; FFmpeg's own setting takes 7 s.
    /// On a busy box the audio of a relay of FFmpeg 7.1 comes more than 100 ms behind the frames, and the header then
    /// fails for want of a sample rate: there half a second is looked at.
    private func streams(for ffmpeg: FFmpegCapabilities) -> [String] {
        let look = ffmpeg.runsInThreads ? "500000" : "100000"
        return [
            "-probesize", "5000000", "-analyzeduration", look, "-fpsprobesize", "0", "-f", "mpegts", "-i", "pipe:0",
        ]
            + TransportStreamOutput.mapping
    }

    /// What SRT takes is what a feed holds, so nothing is taken apart: FFmpeg's multiplexer holds each picture until
    /// sound that belongs behind it has come, and half of them left in pairs. Each read fills a datagram, seven TS
    /// packets, or is what there is.
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
        var address = try MediaAddress(url)
        guard address.scheme == "rtmp" || address.scheme == "rtmps" else {
            throw .badAddress(url, reason: "an RTMP target's address begins with rtmp:// or rtmps://")
        }
        guard address.password == nil else {
            throw .badAddress(
                url, reason: "FFmpeg takes user:password only where every user can read it: use a stream key instead")
        }
        // It may be the end of a password with a slash in it, and then what stands before it is no application.
        guard !address.path.contains("@") else {
            throw .badAddress(
                url,
                reason: "an @ behind the host could be a password's: if it belongs to the stream key, give that by key:"
            )
        }
        var path = address.path
        while path.last == "/" { path.removeLast() }
        // FFmpeg would take everything behind the application for a part of the name.
        var key = key
        if key == nil {
            guard let slash = path.lastIndex(of: "/") else {
                throw .badAddress(url, reason: "an RTMP target needs a stream key")
            }
            key = String(path[path.index(after: slash)...]) + (address.query.map { "?" + $0 } ?? "")
            address.query = nil
            path = String(path[..<slash])
        }
        guard !path.isEmpty else {
            throw .badAddress(url, reason: "an RTMP target's address ends with the application, as in rtmp://host/live")
        }
        var options = [(name: "rtmp_playpath", value: key ?? "")]
        // FFmpeg cuts the application at its first slash by itself; what stands behind it may be a token.
        if path.contains("/") || address.query != nil {
            options.append(("rtmp_app", path + (address.query.map { "?" + $0 } ?? "")))
        }
        address.path = String(path.prefix { $0 != "/" })
        address.query = nil
        try refuseWhatIsHidden(in: address, of: url)
        let file = try SecretFile.preset(options, for: ffmpeg)
        return Output(
            input: streams(for: ffmpeg),
            arguments: [
                // An encoder that took over may have other parameter sets: FLV has them in a header of their own, and
                // this filter makes the multiplexer write a new one. Where they are the same nothing changes.
                "-bsf:v", "extract_extradata",
                "-rw_timeout", "\(stall.wholeMicroseconds)", "-tcp_nodelay", "1",
                // A live stream's header cannot be gone back to.
                "-flvflags", "no_duration_filesize", "-flush_packets", "1",
                "-fpre", file.token,
            ] + (address.scheme == "rtmps" ? tls.options.flatMap { ["-\($0.name)", $0.value] } : [])
                + (ffmpeg.needsRateOfPublishers ? rate.map { ["-r", "\($0)"] } ?? [] : []) + [
                    "-f", "flv", address.text,
                ], secretFile: file)
    }

    private func srt(
        _ url: String, passphrase: String?, streamID: String?, latency: Duration?, for ffmpeg: FFmpegCapabilities
    ) throws(CommandError) -> Output {
        var address = try MediaAddress(url)
        guard address.scheme == "srt" else {
            throw .badAddress(url, reason: "an SRT target's address begins with srt://")
        }
        guard address.userInfo == nil else {
            throw .badAddress(url, reason: "SRT knows no user and password: use a passphrase or a stream id")
        }
        var secrets: [(name: String, value: String)] = []
        let passphraseInAddress = address.takeParameter("passphrase")
        let streamIDInAddress = address.takeParameter("streamid")
        if let value = passphrase ?? passphraseInAddress { secrets.append(("passphrase", value)) }
        if let value = streamID ?? streamIDInAddress { secrets.append(("srt_streamid", value)) }
        guard address.path.isEmpty else {
            throw .badAddress(
                url, reason: "an SRT target's address has no path: it ends with the port, or with ?name=value")
        }
        // What is not known to be harmless may be a secret, if only one whose name is misspelt.
        for parameter in address.parameters
        where URLMask.mask("srt://h?\(parameter.name)=\(parameter.value)").hasSuffix(URLMask.mask) {
            guard !parameter.name.isEmpty, parameter.name.utf8.allSatisfy({ (97...122).contains($0) || $0 == 95 }),
                let value = address.takeParameter(parameter.name)
            else {
                throw .badAddress(
                    url, reason: "what follows the ? of an SRT target's address is name=value, joined by &")
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

    /// Everybody can read an argument list.
    private func refuseWhatIsHidden(in address: MediaAddress, of url: String) throws(CommandError) {
        guard URLMask.mask(address.text) == address.text else {
            throw .badAddress(
                url,
                reason:
                    """
                    an address is protocol://host:port and what belongs to it; a secret elsewhere in it could be \
                    read by everybody
                    """
            )
        }
    }

    /// MPEG-TS, because what was written stays playable when the power goes: after SIGKILL the newest Matroska file and
    /// the newest fragmented MP4 could not be opened at all, the newest MPEG-TS file lost its last frames only.
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
            // Local time has an hour twice in autumn, and the second one would overwrite the first.
            environment: ["TZ": "UTC"])
    }
}
