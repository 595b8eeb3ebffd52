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
        "what is refused is named, whichever version says it",
        arguments: [
            ("[fatal] Unrecognized option 'vsync'.|[fatal] Error splitting the argument list: Option not found", "the option -vsync"),
            ("[fatal] Option channels not found.|[error] Error opening input file nn.|[fatal] Error opening input files: Option not found", "the option -channels"),
            ("[fatal] Unknown encoder 'libx264'", "the encoder libx264"),
            ("[vost#0:0 @ 0x55] [fatal] Unknown encoder 'libx264'|[fatal] Error opening output files: Encoder not found", "the encoder libx264"),
            ("[AVFilterGraph @ 0x55] [error] No such filter: 'drawtext'", "the filter drawtext"),
            ("[AVFilterGraph @ 0x55] [error] Error applying option 'flags' to filter 'scale': Option not found", "the option flags of the filter scale"),
            ("[vost#0:0/copy @ 0x55] [fatal] Error parsing bitstream filter sequence 'extract_extradata': Bitstream filter not found", "the bitstream filter extract_extradata"),
            ("[in#0 @ 0x55] [fatal] Unknown input format: 'ivf'", "the input format ivf"),
            ("[error] Requested output format 'nut' is not a suitable output format", "the output format nut"),
            ("[error] Requested output format 'nut' is not known.", "the output format nut"),
            ("[vost#0:0/libx264 @ 0x55] [fatal] Invalid time base: -1|[error] Error opening output file pipe:1.", "the value -1 of -enc_time_base"),
            (
                "[vost#0:0/h264_vaapi @ 0x55] [fatal] One of -r/-fpsmax was specified together a non-CFR -vsync/-fps_mode. This is contradictory.",
                "the option -r beside -fps_mode passthrough"
            ),
            ("[libx264 @ 0x55] [Eval @ 0x56] [error] Undefined constant or missing '(' in 'x'|[error] Error setting option b to value x.", "the value x of -b"),
            ("[srt @ 0x55] [error] Operation not supported: Bad parameters|[in#0 @ 0x56] [error] Error opening input: Unknown error occurred", "an SRT listener on [::]"),
            ("[in#0 @ 0x55] [error] Error opening input: Protocol not found|[fatal] Error opening input files: Protocol not found", "the protocol of an address"),
        ])
    func named(lines: String, wanted: String) {
        let log = log(lines)
        #expect(RefusedOption(log)?.description == wanted)
        for role in [FFmpegCommand.Role.relay, .encoder, .publisher, .slate] {
            #expect(FailureClassifier.cause(role: role, status: .exited(8), log: log, isOutputOpen: false) == .unsupported)
        }
    }

    @Test("what to do depends on what is refused")
    func advice() {
        #expect(RefusedRole.advice(on: "an SRT listener on [::]").contains("0.0.0.0"))
        #expect(RefusedRole(role: "encoders", refused: "the option -vsync").sentence(ffmpeg: "9").contains("apt install ffmpeg"))
    }

    @Test("what else goes wrong is no refusal")
    func others() {
        #expect(RefusedOption(log("[error] Error while opening encoder|[error] Invalid argument")) == nil)
        #expect(RefusedOption(LogExcerpt()) == nil)
    }

    @Test("the level is read behind the names of several parts")
    func prefixes() {
        let line = LogLine(parsing: "[vost#0:0/h264_vaapi @ 0x1] [enc:h264_vaapi @ 0x2] [error] Error while opening encoder")
        #expect(line.level == .error && line.text == "[vost#0:0/h264_vaapi @ 0x1] [enc:h264_vaapi @ 0x2] Error while opening encoder")
        #expect(LogLine(parsing: "[error] plain").level == .error)
        #expect(LogLine(parsing: "[not a level] text").level == nil)
    }
}
