import FFmpeg
import Status
import Testing

@testable import Supervision

/// Of which kind the problems are that a snapshot tells.
@Suite struct ProblemsTests {
    private func problems(_ state: GroupSnapshot.State, encoder: String, why: String) -> [Problem] {
        let source = SourceSnapshot(id: "test", state: .live, isOnAir: true)
        let group = GroupSnapshot(name: "hd", state: state, encoder: encoder, why: why)
        return Problems.of(ChannelSnapshot(name: "main", sources: [source], groups: [group]), ffmpeg: "9.0.2")
    }

    @Test("a group that lacks its encoder because FFmpeg refuses an option tells so")
    func refused() {
        let refusal = RefusedRole.sentence("the value p4 of -preset")
        let why = "libx264: the best that works here (h264_nvenc@0000:01:00.0: \(refusal))"
        #expect(problems(.degraded, encoder: "libx264", why: why) == [Problem(.ffmpegUnsupported, subject: "group hd", sentence: why)])
        #expect(problems(.stalled, encoder: "none", why: why) == [Problem(.ffmpegUnsupported, subject: "group hd", sentence: why)])
    }

    @Test("a group that lacks it because of its device is degraded, or has none")
    func device() {
        let why = "libx264: the best that works here (h264_nvenc@0000:01:00.0: the NVIDIA driver is older than this FFmpeg needs; update nvidia-driver)"
        #expect(problems(.degraded, encoder: "libx264", why: why).map(\.problem) == [.groupDegraded])
        #expect(problems(.stalled, encoder: "none", why: why).map(\.problem) == [.noEncoder])
    }
}
