import EventLoop
import MPEGTS

// The slate.
extension ChannelInput {
    /// Whether the slate is on air.
    var showsSlate: Bool { player != nil }

    /// Sets the clip that is shown whenever no source delivers, from now on.
    func setSlate(_ clip: SlateClip, report: @escaping @Sendable (SlateEvent) -> Void) {
        slate = clip
        reportSlate = report
        if let current = player { player = SlatePlayer(clip, start: max(EventLoop.now(), current.due)) }
        loop.arm(for: EventLoop.now())
    }

    /// Puts the frames of the slate that are due into the feed; returns when to look again.
    func playSlate(now: Int64) -> Int64 {
        guard let slate else { return .max }
        if player == nil {
            // A source is about to go on air.
            if let change { return change.deadline }
            let due = lastAired.map { $0 + choice.patience } ?? slateFrom
            guard now >= due else { return due }
            reportSlate(.onAir(slate.format))
        }
        var current = player ?? SlatePlayer(slate, start: now)
        if current.isLost(now: now) { current = SlatePlayer(slate, start: now) }
        player = current
        current.play(into: &splicer, now: now)
        hub.mayFlush(sawVideo: true)
        return current.due
    }
}
