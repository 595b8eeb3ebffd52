import Status
import Testing

/// The line in `systemctl status`.
@Suite struct SummaryTests {
    private func box(
        slate: Bool = false, source: Bool = false, group: GroupSnapshot.State = .starting,
        targets: [TargetSnapshot] = [], problems: [Problem] = []
    ) -> BoxSnapshot {
        BoxSnapshot(
            version: "1", ffmpeg: "5.1", started: 0, updated: 0,
            channels: [
                ChannelSnapshot(
                    name: "main",
                    sources: [
                        SourceSnapshot(id: "rtmp-0", state: .waiting, isOnAir: source),
                        SourceSnapshot(id: "slate", state: .live, isOnAir: slate),
                    ],
                    groups: [GroupSnapshot(name: "hd", state: group, encoder: "libx264", targets: targets)])
            ], problems: problems)
    }

    @Test("the service is on air with a slate or a live group, not with a source alone")
    func onAir() {
        #expect(!box().isOnAir)
        #expect(!box(source: true).isOnAir)
        #expect(box(slate: true).isOnAir)
        #expect(box(source: true, group: .live).isOnAir)
        #expect(box(source: true, group: .degraded).isOnAir)
        #expect(!box(source: true, group: .stalled).isOnAir)
        #expect(!BoxSnapshot(version: "1", ffmpeg: "5.1", started: 0, updated: 0).isOnAir)
    }

    @Test("the summary names sources on air and counts live groups and targets")
    func summary() {
        #expect(box().summary == "main is not on air yet; groups 0 of 1 live")
        let targets = [
            TargetSnapshot(name: "a", state: .live), TargetSnapshot(name: "b", state: .refused),
            TargetSnapshot(name: "c", state: .stopped, isWanted: false),
        ]
        #expect(
            box(source: true, group: .live, targets: targets).summary
                == "main shows rtmp-0; groups 1 of 1 live; targets 1 of 2 live")
        let slow = [TargetSnapshot(name: "a", state: .degraded, share: 0.87)]
        #expect(box(source: true, group: .live, targets: slow).summary.hasSuffix("targets 1 of 1 live"))
    }

    @Test("the summary has the first problem and the number of problems")
    func problems() {
        let one = Problem(.targetRefused, subject: "b", sentence: "b refuses the key")
        let other = Problem(.gpuGone, subject: "x", sentence: "x is gone")
        #expect(
            box(slate: true, problems: [one]).summary
                == "main shows slate; groups 0 of 1 live. Problem: b refuses the key")
        #expect(
            box(slate: true, problems: [one, other]).summary
                == "main shows slate; groups 0 of 1 live. 2 problems, the first: b refuses the key")
    }
}
