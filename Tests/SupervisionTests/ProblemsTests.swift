import FFmpeg
import Status
import Testing

@testable import Supervision

/// The problems of a snapshot.
@Suite struct ProblemsTests {
    private func problems(
        _ state: GroupSnapshot.State, encoder: String, why: String, isRefused: Bool? = nil
    ) -> [Problem] {
        let source = SourceSnapshot(id: "test", state: .live, isOnAir: true)
        let group = GroupSnapshot(name: "hd", state: state, encoder: encoder, why: why, ffmpegRefuses: isRefused)
        return Problems.found(in: ChannelSnapshot(name: "main", sources: [source], groups: [group]), ffmpeg: "9.0.2")
    }

    /// The sentence for a channel that shows only the slate.
    private func absence(_ sources: SourceSnapshot...) -> String {
        let slate = SourceSnapshot(id: "slate", state: .live, isOnAir: true)
        return Problems.found(
            in: ChannelSnapshot(name: "main", sources: sources + [slate], groups: []), ffmpeg: "9.0.2"
        ).first { $0.problem == .noSource }?.sentence ?? ""
    }

    @Test(
        "a stalled source has a sentence for its kind, with an encoder only for listeners",
        arguments: [
            ("rtmp-0", "an encoder sends to rtmp-0"), ("srt-1", "an encoder sends to srt-1"),
            ("pull-0", "check the camera or server that it is fetched from"),
            ("raw-0", "check the program that writes them"), ("capture-2", "check its cable"),
            ("file-0", "see the log"),
        ])
    func stalls(id: String, words: String) {
        let sentence = absence(SourceSnapshot(id: id, state: .stalled, isOnAir: false))
        #expect(sentence.hasPrefix("no source delivers: ") && sentence.contains(id) && sentence.contains(words))
        let isListener = id.hasPrefix("rtmp") || id.hasPrefix("srt")
        #expect(sentence.contains("encoder") == isListener && !sentence.contains("somebody"), "\(sentence)")
    }

    @Test("an encoder without usable video is named, and not the cable")
    func unreadable() {
        #expect(absence(SourceSnapshot(id: "rtmp-0", state: .waiting, isOnAir: false)).contains("check the cable"))
        for state in [SourceSnapshot.State.connecting, .stalled] {
            let sentence = absence(SourceSnapshot(id: "rtmp-0", state: state, isOnAir: false))
            #expect(
                sentence.contains("rtmp-0") && sentence.contains("check the settings of the encoder that sends it")
                    && !sentence.contains("cable"), "\(sentence)")
        }
        let end = EndSnapshot(started: 0, ended: 1, status: "exited 187", cause: FailureCause.invalidData.rawValue)
        let sentence = absence(SourceSnapshot(id: "srt-0", state: .waiting, isOnAir: false, history: [end]))
        #expect(sentence.contains("FFmpeg could not read the last stream sent to srt-0"), "\(sentence)")
        // A pull's own problem says more.
        #expect(absence(SourceSnapshot(id: "pull-0", state: .connecting, isOnAir: false)).contains("check the cable"))
    }

    @Test("a group without its encoder because of a refused option has that problem")
    func refused() {
        let refusal = RefusedRole.sentence("the value p4 of -preset")
        let why = "libx264: the best that works here (h264_nvenc@0000:01:00.0: \(refusal))"
        let problem = Problem(.ffmpegUnsupported, subject: "group hd", sentence: why)
        #expect(problems(.degraded, encoder: "libx264", why: why, isRefused: true) == [problem])
        #expect(problems(.stalled, encoder: "none", why: why, isRefused: true) == [problem])
    }

    @Test("a slate that FFmpeg refuses is a problem, on air or not")
    func slate() {
        func problems(_ refused: String?, isOnAir: Bool) -> [Problem] {
            let state = isOnAir ? SourceSnapshot.State.live : .waiting
            let slate = SourceSnapshot(id: "slate", state: state, isOnAir: isOnAir, refused: refused)
            let source = SourceSnapshot(id: "test-0", state: .live, isOnAir: true)
            return Problems.found(in: ChannelSnapshot(name: "main", sources: [source, slate]), ffmpeg: "9.0.2")
        }
        let sentence = RefusedRole.sentence("the filter gradients", ffmpeg: "9.0.2") + RefusedRole.advice
        for isOnAir in [true, false] {
            let wanted = Problem(.ffmpegUnsupported, subject: "the slate of main", sentence: sentence)
            #expect(problems("the filter gradients", isOnAir: isOnAir) == [wanted])
            #expect(problems(nil, isOnAir: isOnAir).isEmpty)
        }
    }

    private func problems(_ target: TargetSnapshot) -> [Problem] {
        let source = SourceSnapshot(id: "test", state: .live, isOnAir: true)
        let group = GroupSnapshot(name: "hd", state: .live, encoder: "libx264", targets: [target])
        return Problems.found(in: ChannelSnapshot(name: "main", sources: [source], groups: [group]), ffmpeg: "9.0.2")
    }

    @Test("a target that gets only a part of the stream is a problem with the percentage")
    func slow() throws {
        #expect(problems(TargetSnapshot(name: "a", state: .live)).isEmpty)
        let slow = problems(TargetSnapshot(name: "a", state: .degraded, share: 0.87))
        #expect(slow.map(\.problem) == [.targetSlow] && slow[0].subject == "target a")
        #expect(slow[0].sentence.hasPrefix("87 % of the stream reaches it"))
    }

    @Test("a slow target that does not answer is slow and down, and a stopped one neither")
    func slowAndDown() {
        let both = problems(TargetSnapshot(name: "a", state: .waiting, share: 0.5, trouble: "it accepts no data"))
        #expect(both.map(\.problem) == [.targetDown, .targetSlow])
        #expect(problems(TargetSnapshot(name: "a", state: .stopped, share: 0.5)).isEmpty)
    }

    @Test("a group without its encoder because of the device is degraded or has none")
    func device() {
        let why =
            """
            libx264: the best that works here (h264_nvenc@0000:01:00.0: the NVIDIA driver is older than this \
            FFmpeg needs; update nvidia-driver)
            """
        #expect(problems(.degraded, encoder: "libx264", why: why).map(\.problem) == [.groupDegraded])
        #expect(problems(.stalled, encoder: "none", why: why).map(\.problem) == [.noEncoder])
    }
}
