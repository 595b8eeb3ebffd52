import EncoderSelection
import Testing

@testable import FFmpeg

/// The result that the end of a trial leads to.
@Suite struct TrialResultTests {
    private static let nvidia = EncoderCandidate("h264_nvenc", gpu: "0000:01:00.0")
    private static let intel = EncoderCandidate("h264_vaapi", gpu: "0000:00:02.0")

    private func result(of candidate: EncoderCandidate, _ lines: String) -> TrialResult {
        var log = LogExcerpt()
        for text in lines.split(separator: "|") {
            let line = LogLine(parsing: String(text))
            log.append(line.text, isError: line.level == .error || line.level == .fatal)
        }
        let cause = FailureClassifier.cause(role: .trial, status: .exited(1), log: log, isOutputOpen: false)
        return TrialResult(
            ChildExit(status: .exited(1), asked: false, cause: cause, log: log), of: candidate, overdue: nil, flaw: nil)
    }

    @Test(
        "an option that FFmpeg refuses is not a fault of the device",
        arguments: [
            // FFmpeg 7.1, with which no hardware encoder passed.
            (
                """
                [vost#0:0/h264_nvenc @ 0x55] [fatal] One of -r/-fpsmax was specified together a non-CFR \
                -vsync/-fps_mode. This is contradictory.
                """,
                "this FFmpeg refuses the option -r beside -fps_mode passthrough; install Debian's FFmpeg"
            ),
            (
                """
                [h264_nvenc @ 0x55] [error] Unable to parse "preset" option value "p4"|[h264_nvenc @ 0x55] \
                [error] Error setting option preset to value p4.
                """,
                "this FFmpeg refuses the value p4 of -preset; install Debian's FFmpeg"
            ),
            (
                "[AVFilterGraph @ 0x55] [error] No such filter: 'hwupload'",
                "this FFmpeg does not have the filter hwupload; install Debian's FFmpeg"
            ),
            (
                "[error] Unrecognized option 'vaapi_device'.",
                "this FFmpeg refuses the option -vaapi_device; install Debian's FFmpeg"
            ),
        ] as [(String, String)])
    func refused(lines: String, wanted: String) throws {
        for candidate in [Self.nvidia, Self.intel] {
            let failure = result(of: candidate, lines)
            let why = try #require(failure.explanation)
            #expect(failure == .failed(.unsupported, why))
            #expect(why.sentence.hasPrefix(wanted) && why.kind == .refusedOption, "\(why)")
        }
    }

    @Test("an unsupported job is a fault of the device")
    func device() throws {
        let why = try #require(
            result(
                of: Self.intel,
                "[error] Impossible to convert between the formats supported by the filter 'a' and the filter 'b'"
            ).explanation)
        #expect(why.sentence.hasPrefix("the device cannot do this: Impossible to convert"), "\(why)")
        #expect(why.kind == .device)
        let size =
            """
            [h264_vaapi @ 0x55] [error] Hardware does not support encoding at size 640x368 (constraints: width 0-0 \
            height 0-0).
            """
        #expect(result(of: Self.intel, size).explanation?.sentence == "the GPU cannot encode frames of this size")
    }

    @Test("a driver that does not know this FFmpeg's NVENC is too old")
    func old() {
        for line in [
            "Failed to create nvenc instance: invalid version (15): (no details)",
            "Failed to query nvenc max version: generic error (20): (no details)",
        ] {
            let why = result(of: Self.nvidia, "[h264_nvenc @ 0x55] [error] \(line)").explanation
            #expect(why?.sentence.contains("older than this FFmpeg needs") == true)
        }
    }
}
