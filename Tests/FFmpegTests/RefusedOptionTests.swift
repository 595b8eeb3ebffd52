import Testing

@testable import FFmpeg

/// Lines as FFmpeg 5.1.9, 7.1.5 and 9.0.2 printed them.
@Suite struct RefusedOptionTests {
    private func log(_ lines: String) -> LogExcerpt {
        var log = LogExcerpt()
        for line in lines.split(separator: "|") { log.append(LogLine(parsing: String(line)).text) }
        return log
    }

    @Test(
        "a refused part is named, whichever version refuses it",
        arguments: [
            (
                "[fatal] Unrecognized option 'vsync'.|[fatal] Error splitting the argument list: Option not found",
                "the option -vsync"
            ),
            (
                """
                [fatal] Option channels not found.|[error] Error opening input file nn.|[fatal] Error opening \
                input files: Option not found
                """,
                "the option -channels"
            ),
            ("[fatal] Unknown encoder 'libx264'", "the encoder libx264"),
            (
                """
                [vost#0:0 @ 0x55] [fatal] Unknown encoder 'libx264'|[fatal] Error opening output files: Encoder \
                not found
                """,
                "the encoder libx264"
            ),
            ("[AVFilterGraph @ 0x55] [error] No such filter: 'drawtext'", "the filter drawtext"),
            (
                "[AVFilterGraph @ 0x55] [error] Error applying option 'flags' to filter 'scale': Option not found",
                "the option flags of the filter scale"
            ),
            (
                """
                [vost#0:0/copy @ 0x55] [fatal] Error parsing bitstream filter sequence 'extract_extradata': \
                Bitstream filter not found
                """,
                "the bitstream filter extract_extradata"
            ),
            ("[in#0 @ 0x55] [fatal] Unknown input format: 'ivf'", "the input format ivf"),
            ("[error] Requested output format 'nut' is not a suitable output format", "the output format nut"),
            ("[error] Requested output format 'nut' is not known.", "the output format nut"),
            (
                "[vost#0:0/libx264 @ 0x55] [fatal] Invalid time base: -1|[error] Error opening output file pipe:1.",
                "the value -1 of -enc_time_base"
            ),
            (
                """
                [vost#0:0/h264_vaapi @ 0x55] [fatal] One of -r/-fpsmax was specified together a non-CFR \
                -vsync/-fps_mode. This is contradictory.
                """,
                "the option -r beside -fps_mode passthrough"
            ),
            (
                """
                [libx264 @ 0x55] [Eval @ 0x56] [error] Undefined constant or missing '(' in 'x'|[error] Error \
                setting option b to value x.
                """,
                "the value x of -b"
            ),
            (
                """
                [srt @ 0x55] [error] Operation not supported: Bad parameters|[in#0 @ 0x56] [error] Error opening \
                input: Unknown error occurred
                """,
                "an SRT listener on [::]"
            ),
            (
                """
                [in#0 @ 0x55] [error] Error opening input: Protocol not found|[fatal] Error opening input files: \
                Protocol not found
                """,
                "the protocol of an address"
            ),
            // An address, 5.1 and then 7.1 and 9
            ("[error] zz://h/x: Protocol not found|[error] Did you mean file:zz://h/x?", "the protocol zz"),
            (
                """
                [in#0 @ 0x55] [error] Error opening input: Protocol not found|[in#0 @ 0x55] [error] Did you mean \
                file:zz://h/x?|[error] Error opening input file zz://h/x.
                """,
                "the protocol zz"
            ),
            (
                """
                [in#0 @ 0x55] [error] Error opening input: Protocol not found|[error] Error opening input file \
                zz://h/x.
                """,
                "the protocol zz"
            ),
            ("[error] rtmpzz://h/app/****: Protocol not found", "the protocol rtmpzz"),
            (
                """
                [out#0/flv @ 0x55] [fatal] Error opening output rtmpzz://h/app/****: Protocol not found|[fatal] \
                Error opening output files: Protocol not found
                """,
                "the protocol rtmpzz"
            ),
            (
                """
                [libsrt @ 0x55] [error] Query string option 'foo' does not exist|[in#0 @ 0x56] [error] Error \
                opening input: Option not found|[fatal] Error opening input files: Option not found
                """,
                "the parameter foo of an address"
            ),
            (
                """
                [libsrt @ 0x55] [error] Query string option 'passphrase' value is too long|[in#0 @ 0x56] [error] \
                Error opening input: Invalid argument
                """,
                "the parameter passphrase of an address, whose value is too long"
            ),
            (
                """
                [libsrt @ 0x55] [Eval @ 0x7f] [error] Undefined constant or missing '(' in 'zz'|[libsrt @ 0x55] \
                [error] Unable to parse "latency" option value "zz"
                """,
                "the value zz of latency"
            ),
            (
                """
                [libsrt @ 0x55] [error] Value 77.000000 for parameter 'pbkeylen' out of range [-1 - 32]|[fatal] \
                Error opening input files: Numerical result out of range
                """,
                "the value 77.000000 of pbkeylen"
            ),
            (
                """
                [srt @ 0x55] [error] failed to set option SRTO_PBKEYLEN on socket: Operation not supported: Bad \
                parameters|[error] srt://127.0.0.1:1?pbkeylen=77: Input/output error
                """,
                "the value of SRTO_PBKEYLEN of an address"
            ),
            (
                """
                [srt @ 0x55] [error] You must specify "ipv6only" option if you use a IPv6 wildcard address|[in#0 \
                @ 0x56] [error] Error opening input: Invalid argument
                """,
                "an SRT listener on [::]"
            ),
            // Filters: 5.1, then 7.1 and 9
            (
                """
                [Parsed_fps_0 @ 0x55] [error] Option 'x' not found|[AVFilterGraph @ 0x56] [error] Error \
                initializing filter 'fps' with args 'x=1'|[error] Failed to inject frame into filter network: \
                Option not found
                """,
                "the option x of the filter fps"
            ),
            (
                """
                [error] Error applying option 'x' to filter 'fps': Option not found|[error] Error opening output \
                file -.
                """,
                "the option x of the filter fps"
            ),
            (
                "[fc#-1 @ 0x55] [error] Error applying option 'x' to filter 'fps': Option not found",
                "the option x of the filter fps"
            ),
            (
                "[Parsed_testsrc2_0 @ 0x55] [error] Could not set non-existent option 'zz' to value '1'",
                "the option zz of a filter"
            ),
            ("[Parsed_scale_0 @ 0x55] [error] No option name near '1:1:1:1'", "a filter with the argument 1:1:1:1"),
            (
                """
                [Parsed_format_0 @ 0x55] [error] Invalid pixel format 'zz'|[AVFilterGraph @ 0x56] [error] Error \
                initializing filters
                """,
                "the pixel format zz"
            ),
            (
                """
                [Parsed_fps_0 @ 0x55] [Eval @ 0x56] [error] Undefined constant or missing '(' in \
                'zz'|[Parsed_fps_0 @ 0x55] [error] Failed to configure output pad on Parsed_fps_0
                """,
                "the value zz"
            ),
            (
                """
                [dump_extradata bsf @ 0x55] [error] Option 'x' not found|[error] Error parsing bitstream filter \
                sequence 'dump_extra=x=1': Option not found
                """,
                "the option x of the bitstream filter dump_extra"
            ),
            ("[dump_extradata bsf @ 0x55] [error] Option 'x' not found", "the option x of a filter"),
            ("[dump_extradata bsf @ 0x55] [error] Unable to parse option value \"zz\"", "the value zz"),
            // Options of the program
            ("[fatal] Invalid duration specification for stats_period: zz", "the value zz of -stats_period"),
            (
                """
                [error] Failed to set value 'zz' for option 'stats_period': Invalid argument|[fatal] Error parsing \
                global options: Invalid argument
                """,
                "the value zz of -stats_period"
            ),
            (
                """
                [error] Missing argument for option 'c:v'.|[fatal] Error splitting the argument list: Invalid \
                argument
                """,
                "the option -c:v"
            ),
            ("[fatal] Expected number for muxdelay but found: zz", "the value zz of -muxdelay"),
            ("[fatal] Expected int64 for frames but found 1.5", "the value 1.5 of -frames"),
            ("[fatal] The value for qscale was 9 which is not within 0.000000 - 1.000000", "the value 9 of -qscale"),
            ("[fatal] Invalid value zz specified for fps_mode of #0:0.", "the value zz of -fps_mode"),
            (
                """
                [Eval @ 0x55] [error] Undefined constant or missing '(' in ''|[error] Invalid force_key_frames \
                expression 'zz('
                """,
                "the value zz( of -force_key_frames"
            ),
            ("[vost#0:0/wrapped_avframe @ 0x55] [fatal] Unknown pixel format requested: zz.", "the pixel format zz"),
            (
                "[rawvideo @ 0x55] [error] No such pixel format: zz.|[error] /dev/zero: Invalid argument",
                "the pixel format zz"
            ),
            ("[fatal] Unknown decoder 'zz'|[fatal] Error opening input files: Decoder not found", "the decoder zz"),
            ("[error] Decoder (codec h264) not found for input stream #0:0", "the decoder h264"),
            (
                "[vist#0:0/h264 @ 0x55] [error] Decoding requested, but no decoder found for: h264"
                    + "|[error] Error opening output file pipe:1.|[fatal] Error opening output files: Invalid argument",
                "the decoder h264"
            ),
            (
                """
                [error] Invalid device specification "vaapi=va:/dev/dri/renderD128": unknown device type|[error] \
                Failed to set value 'vaapi=va:/dev/dri/renderD128' for option 'init_hw_device': Invalid argument
                """,
                "the device type vaapi"
            ),
            (
                """
                [error] Option fpre (set options from indicated preset file) cannot be applied to input url a.ts \
                -- you are trying to apply an input option to an output file or vice versa.
                """,
                "the option -fpre"
            ),
            (
                """
                [error] Codec AVOption skip_frame (skip decoding for the selected frames) specified for output \
                file #0 (pipe:) is not an encoding option.
                """,
                "the option -skip_frame"
            ),
            (
                "[out#0/mpegts @ 0x55] [error] Codec AVOption b (set bitrate (in bits/s)) is not a decoding option.",
                "the option -b"
            ),
            (
                "[fatal] p.ffpreset: Invalid option or argument: 'zz=1|', parsed as 'zz' = '1'",
                "the option -zz in a preset file"
            ),
            ("[fatal] p.ffpreset: Invalid option or argument: 'zz=1", "an option in a preset file"),
            ("[error] Failed to set value '1' for option 'zz': Option not found", "the option -zz"),
            (
                "[fatal] Error opening output files: Bitstream filter not found",
                "a bitstream filter that it is told to use"
            ),
            ("[fatal] Error opening output files: Option not found", "an option that it is given"),
            // Encoders
            (
                """
                x264 [error]: invalid preset 'zz'|[libx264 @ 0x55] [error] Error setting preset/tune \
                zz/(null).|[error] Error initializing output stream 0:0 -- Error while opening encoder for output \
                stream #0:0
                """,
                "the value zz of -preset"
            ),
            (
                "x264 [error]: invalid tune 'zz'|[libx264 @ 0x55] [error] Error setting preset/tune medium/zz.",
                "the value zz of -tune"
            ),
            ("[libx265 @ 0x55] [error] Error setting preset/tune zz/(null).", "the value zz of -preset"),
            ("[libx265 @ 0x55] [error] Error setting preset/tune (null)/zz.", "the value zz of -tune"),
            (
                "[libx265 @ 0x55] [error] Error setting preset/tune medium/zz.",
                "the values medium of -preset and zz of -tune together"
            ),
            (
                "x264 [error]: invalid profile: zz|[libx264 @ 0x55] [error] Error setting profile zz.",
                "the value zz of -profile"
            ),
            (
                "x265 [error]: unknown profile <zz>|[libx265 @ 0x55] [error] Invalid or incompatible profile set: zz.",
                "the value zz of -profile"
            ),
            (
                """
                [libx264 @ 0x55] [error] Value -99.000000 for parameter 'rc-lookahead' out of range [-1 - \
                2.14748e+09]|[libx264 @ 0x55] [error] Error setting option rc-lookahead to value -99.
                """,
                "the value -99 of -rc-lookahead"
            ),
            (
                """
                [h264_nvenc @ 0x55] [error] Unable to parse "preset" option value "zz"|[h264_nvenc @ 0x55] \
                [error] Error setting option preset to value zz.
                """,
                "the value zz of -preset"
            ),
        ] as [(String, String)])
    func named(lines: String, wanted: String) {
        let log = log(lines)
        #expect(RefusedOption(log)?.description == wanted)
        for role in [FFmpegCommand.Role.relay, .encoder, .publisher, .slate] {
            #expect(
                FailureClassifier.cause(role: role, status: .exited(8), log: log, isOutputOpen: false) == .unsupported)
        }
    }

    @Test("the advice depends on the refused part")
    func advice() {
        #expect(RefusedRole.advice(on: "an SRT listener on [::]").contains("0.0.0.0"))
        #expect(RefusedRole.advice(on: "the parameter foo of an address").contains("remove it from the address"))
        #expect(
            RefusedRole.advice(on: "the parameter foo of an address, whose value is too long")
                == "; use a shorter value")
        #expect(
            RefusedRole(purposes: "encoders", refused: "the option -vsync").sentence(ffmpeg: "9").contains(
                "apt install ffmpeg"))
    }

    @Test("a part is missing, an option is refused, and an address cannot be opened")
    func sentences() {
        #expect(
            RefusedRole.sentence("the encoder libx264", ffmpeg: "9") == "FFmpeg 9 does not have the encoder libx264")
        #expect(RefusedRole.sentence("the protocol srt", ffmpeg: "9") == "FFmpeg 9 does not have the protocol srt")
        #expect(
            RefusedRole.sentence("the option x of the filter fps", ffmpeg: "9")
                == "FFmpeg 9 refuses the option x of the filter fps")
        #expect(
            RefusedRole.sentence("an SRT listener on [::]", ffmpeg: "7.1")
                == "FFmpeg 7.1 cannot open an SRT listener on [::]")
        #expect(RefusedRole.sentence("the option -vsync").hasPrefix("this FFmpeg refuses the option -vsync; "))
    }

    @Test("other failures are not refusals")
    func others() {
        #expect(RefusedOption(log("[error] Error while opening encoder|[error] Invalid argument")) == nil)
        #expect(RefusedOption(LogExcerpt()) == nil)
        let device = "/dev/dri/renderD128"
        #expect(
            RefusedOption(
                log(
                    """
                    [error] Device creation failed: -22.|[error] Failed to set value '\(device)' for option \
                    'vaapi_device': Invalid argument
                    """
                )) == nil)
        #expect(
            RefusedOption(log("[error] Failed to set value 'a.ffpreset' for option 'fpre': No such file or directory"))
                == nil)
        // The program is not in the input.
        #expect(
            RefusedOption(
                log(
                    """
                    [fatal] Stream map '0:p:9:v:0' matches no streams.|[error] Failed to set value '0:p:9:v:0' for \
                    option 'map': Invalid argument
                    """
                )) == nil)
        #expect(
            RefusedOption(
                log(
                    """
                    [srt @ 0x55] [error] failed to set option SRTO_PASSPHRASE on socket: Operation not supported: \
                    Bad parameters
                    """
                )) == nil)
        // The input has a codec that FFmpeg does not know.
        #expect(RefusedOption(log("[error] Decoder (codec none) not found for input stream #0:0")) == nil)
        let unknown = "[vist#0:0/none @ 0x55] [error] Decoding requested, but no decoder found for: none"
        #expect(RefusedOption(log(unknown)) == nil)
        // A warning of FFmpeg 7.1 and 9.
        let unused =
            """
            [out#0/null @ 0x55] [warning] Codec AVOption skip_frame (Allow frame skipping) has not been used for \
            any stream. The most likely reason is 
            """
                + """
                either wrong type (e.g. a video option with no video streams) or that it is a private option of some \
                decoder which was not actually used.
                """
        #expect(RefusedOption(log(unused)) == nil)
    }

    @Test("a long value is cut")
    func long() {
        let value = String(repeating: "a", count: 500)
        #expect(
            RefusedOption(log("[error] Error setting option b to value \(value)."))?.description
                == "the value \(value.prefix(80))… of -b")
    }

    @Test("the level is read after the names of several parts")
    func prefixes() {
        let line = LogLine(
            parsing: "[vost#0:0/h264_vaapi @ 0x1] [enc:h264_vaapi @ 0x2] [error] Error while opening encoder")
        #expect(
            line.level == .error
                && line.text == "[vost#0:0/h264_vaapi @ 0x1] [enc:h264_vaapi @ 0x2] Error while opening encoder")
        #expect(LogLine(parsing: "[error] plain").level == .error)
        #expect(LogLine(parsing: "[not a level] text").level == nil)
    }
}
