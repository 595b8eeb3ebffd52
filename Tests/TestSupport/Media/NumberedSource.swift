import Foundation

/// Test video in which each frame shows its number as black and white blocks, with a beep every second.
///
/// The upper half of the picture is a grid of 8 × 5 cells: four rows are the 32 bits of the number (least significant
/// bit first), the fifth makes every column odd. The lower half flashes for three frames when a second begins, together
/// with the beep. FFmpeg alone makes it, so a source is one argument list and costs a few per cent of a core in real
/// time. The cells are relative to the picture, so a number survives scaling.
package struct NumberedSource: Sendable, Hashable {
    package enum Codec: String, Sendable, Hashable { case h264, hevc }

    /// An audio codec; the raw value is FFmpeg's name of its encoder.
    package enum Audio: String, Sendable, Hashable {
        case none, aac, mp2, ac3
        /// From here on the other codecs of FLV, each at a sample rate that FLV has for it.
        case mp3 = "libmp3lame"
        case muLaw = "pcm_mulaw"
        case aLaw = "pcm_alaw"
        case pcm = "pcm_s16le"
        case adpcm = "adpcm_swf"
        case nellymoser
        case speex = "libspeex"
    }

    package enum Picture: Sendable, Hashable {
        /// Black below the grid: little CPU time, and few bytes.
        case plain
        /// Noise below the grid: as many bytes as `bitrate` asks for.
        case busy
    }

    /// In pixels; both even, and 160x90 or more for numbers that can be read.
    package var width = 640
    package var height = 360
    /// Frames per second, as a fraction.
    package var rate = 30
    package var rateDivisor = 1
    /// nil for an endless stream.
    package var duration: Duration? = .seconds(5)
    /// Frames from one keyframe to the next.
    package var gop = 30
    package var bFrames = 0
    package var codec = Codec.h264
    package var audio = Audio.aac
    /// The sample rate of the audio.
    package var audioRate = 48_000
    /// Whether the audio is mono. Else it has two equal channels.
    package var isMono = false
    package var picture = Picture.plain
    /// Kilobits per second.
    package var bitrate = 800
    /// The frame rate that the stream announces, if it differs from the real one (H.264). `bitrate` has no effect then.
    package var announcedRate: Int?
    /// The largest deviation of a frame from even intervals: less than half an interval.
    package var unevenness = Duration.zero
    /// The number of the first frame.
    package var firstNumber: UInt32 = 0
    /// Whether frames arrive in real time. Else they arrive as fast as possible.
    package var realtime = false
    /// The offset of every timestamp, for streams that do not begin at zero.
    package var start = Duration.zero
    /// Further options of the muxer, such as `["-muxrate", "2000k"]`.
    package var muxer: [String] = []

    package init() {}

    /// A copy with changes: `NumberedSource.with { $0.gop = 15 }`.
    package static func with(_ change: (inout NumberedSource) -> Void) -> NumberedSource {
        var source = NumberedSource()
        change(&source)
        return source
    }

    /// The format and the destination of the stream.
    package struct Output: Sendable, Hashable {
        var format: String
        var target: String

        package init(format: String, target: String) {
            self.format = format
            self.target = target
        }

        /// MPEG-TS on standard output.
        package static let pipe = Output(format: "mpegts", target: "pipe:1")

        /// A file, in FLV if its name ends in `.flv`, else in MPEG-TS.
        package static func file(_ path: String) -> Output {
            Output(format: path.hasSuffix(".flv") ? "flv" : "mpegts", target: path)
        }

        /// A URL, in FLV if its scheme is `rtmp`, else in MPEG-TS.
        package static func url(_ url: String) -> Output {
            Output(format: url.hasPrefix("rtmp") ? "flv" : "mpegts", target: url)
        }
    }

    /// Frames from one beep to the next: 30 for 30000/1001.
    package var framesPerBeep: Int {
        Int((Double(rate) / Double(rateDivisor)).rounded())
    }

    /// The number of frames; nil for an endless stream.
    package var frameCount: Int? {
        duration.map { Int(($0.inSeconds * Double(rate) / Double(rateDivisor)).rounded()) }
    }

    /// The arguments of `ffmpeg`.
    package func arguments(to output: Output) -> [String] {
        var words = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-y"]
        words += ["-threads", "1", "-filter_threads", "1"]
        let pace = realtime ? ["-re"] : []
        words += pace + ["-f", "lavfi", "-i", pictureGraph]
        if audio != .none { words += pace + ["-f", "lavfi", "-i", audioGraph] }
        // Without its own limit the audio would not end.
        if let duration { words += ["-t", "\(duration.inSeconds)"] }
        words += videoOptions
        // Passthrough: FFmpeg would otherwise move every frame to an interval of the frame rate.
        if unevenness != .zero { words += ["-fps_mode:v", "passthrough", "-enc_time_base:v", "1:90000"] }
        if audio != .none { words += ["-c:a", audio.rawValue] + audioOptions }
        if start != .zero { words += ["-output_ts_offset", "\(start.inSeconds)"] }
        if output.format == "mpegts" { words += ["-muxdelay", "0", "-muxpreload", "0"] }
        if output.format == "flv" { words += ["-flvflags", "no_duration_filesize"] }
        if realtime { words += ["-flush_packets", "1"] }
        return words + muxer + ["-f", output.format, output.target]
    }

    private var audioOptions: [String] {
        switch audio {
        case .none: []
        case .aac, .mp2: ["-b:a", "96k"]
        case .ac3: ["-b:a", "192k"]
        case .mp3: ["-b:a", "128k", "-ar", "44100"]
        case .pcm, .adpcm: ["-ar", "44100"]
        case .nellymoser: ["-ar", "44100", "-ac", "1"]
        case .speex: ["-ar", "16000", "-ac", "1"]
        case .muLaw, .aLaw: ["-ar", "8000", "-ac", "1"]
        }
    }

    private var videoOptions: [String] {
        // x264 would distribute the bits by the announced rate.
        let bits =
            announcedRate.map { ["-crf", "23", "-x264-params", "fps=\($0)"] }
            ?? ["-b:v", "\(bitrate)k", "-maxrate", "\(bitrate)k", "-bufsize", "\(bitrate)k"]
        let rateControl = bits + ["-g", "\(gop)", "-keyint_min", "\(gop)", "-sc_threshold", "0", "-bf", "\(bFrames)"]
        switch codec {
        case .h264:
            return ["-c:v", "libx264", "-preset", "ultrafast", "-threads", "1"]
                + (bFrames == 0 ? ["-tune", "zerolatency"] : []) + rateControl
        case .hevc:
            let more =
                "keyint=\(gop):min-keyint=\(gop):scenecut=0:open-gop=0:bframes=\(bFrames)"
                + ":pools=1:frame-threads=1:log-level=error"
            return ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", more] + rateControl
        }
    }

    private var pictureGraph: String {
        let number = firstNumber == 0 ? "N" : "(N+\(firstNumber))"
        func bit(_ index: String) -> String { "floor(\(number)/pow(2,\(index)))" }
        let bits = "mod(\(bit("X+8*Y")),2)"
        let column = (0..<4).map { bit("X+\(8 * $0)") }.joined(separator: "+")
        let cells = "236*if(lt(Y,4),\(bits),1-mod(\(column),2))"
        let source = "r=\(rate)/\(rateDivisor),format=gray"
        let half = height / 4 * 2
        let rest = height - half
        let flash =
            "drawbox=x=iw/4:y=ih/4:w=iw/2:h=ih/2:c=white:t=fill"
            + ":enable='lt(mod(n+\(firstNumber % UInt32(framesPerBeep)),\(framesPerBeep)),3)'"
        // With `-frames` in its place FFmpeg 9 sometimes hangs: the audio waits for video in the encoders' queue, and
        // the video is not read until audio has been written.
        let end = frameCount.map { ",trim=end_frame=\($0)" } ?? ""
        // `scale` would keep the aspect ratio by other than square pixels.
        let times = unevenness == .zero ? "" : ",settb=1/90000,setpts='PTS+\(unevenness.inSeconds)*sin(N)/TB'"
        let grid = "nullsrc=s=8x5:\(source),geq=lum='\(cells)',scale=\(width):\(half):flags=neighbor,setsar=1"
        switch picture {
        case .plain:
            return "\(grid),pad=\(width):\(height),format=yuv420p,"
                + flash.replacing("y=ih/4", with: "y=ih*5/8").replacing("h=ih/2", with: "h=ih/4") + end + times
        case .busy:
            return "\(grid),format=yuv420p[a];"
                + "nullsrc=s=64x18:\(source),geq=lum='32+random(0)*160'"
                + ",scale=\(width):\(rest):flags=neighbor,setsar=1,format=yuv420p,\(flash)[b]"
                + ";[a][b]vstack\(end)\(times)"
        }
    }

    private var audioGraph: String {
        let period = Double(framesPerBeep) * Double(rateDivisor) / Double(rate)
        let late = Double(firstNumber % UInt32(framesPerBeep)) * Double(rateDivisor) / Double(rate)
        return "aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t+\(late),\(period)),0.1)':s=\(audioRate)"
            + (isMono ? "" : ",pan=stereo|c0=c0|c1=c0")
    }

    /// Makes the whole stream in memory as MPEG-TS.
    package func bytes() async throws -> [UInt8] {
        try await TestProcess.run("ffmpeg", arguments(to: .pipe), within: .seconds(60))
            .success("a test stream").output
    }

    /// Makes the whole stream as a file.
    package func write(to path: String) async throws {
        _ = try await TestProcess.run("ffmpeg", arguments(to: .file(path)), within: .seconds(60))
            .success("a test stream")
    }
}

extension Stage {
    /// Sends a source to a URL or a file in real time.
    package func publish(_ source: NumberedSource, to output: NumberedSource.Output) async throws -> TestProcess {
        var source = source
        source.realtime = true
        return try await program("ffmpeg", source.arguments(to: output))
    }

    /// Sends a source to an RTMP or SRT URL in real time.
    package func publish(_ source: NumberedSource, to url: String) async throws -> TestProcess {
        try await publish(source, to: .url(url))
    }
}
