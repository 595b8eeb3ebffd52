import EncoderSelection
import SystemPackage
import TestSupport
import Testing

@testable import Supervision

/// The flaws of a trial's stream, with streams of the real FFmpeg.
@Suite(.tags(.ffmpeg)) struct TrialProofTests {
    private static let keyframes = ["-force_key_frames", "expr:not(mod(n,6))"]

    @Test(
        "a stream that cannot be cut, joined or read from its middle has a flaw",
        arguments: [
            (["-tune", "zerolatency"] + keyframes, nil),
            (["-tune", "zerolatency"], "it makes no keyframe where one is asked for"),
            (["-bf", "2", "-b_strategy", "0"] + keyframes, "its frames are not in order"),
            (
                ["-tune", "zerolatency", "-bsf:v", "filter_units=remove_types=7|8"] + keyframes,
                "a keyframe has no parameter sets before it, so no reader could begin there"
            ),
            (["-tune", "zerolatency", "-frames:v", "8"] + keyframes, "only 8 of 12 frames came out"),
        ] as [([String], String?)])
    func flaws(options: [String], flaw: String?) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("trial.ts")
        _ = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-frames:v",
                "\(TrialCommand.frames)", "-c:v", "libx264", "-g", "250",
            ] + options
                + ["-f", "mpegts", path]
        ).success("ffmpeg")
        let stream = try FileDescriptor.open(path, .readOnly)
        defer { try? stream.close() }
        #expect(TrialProof.flaw(in: stream) == flaw)
    }
}
