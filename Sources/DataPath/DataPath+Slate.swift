// The slates of channels.
extension DataPath {
    /// Sets the clip that a channel shows while none of its sources delivers. It is shown once the channel's patience
    /// after the last frame is over, in real time, until a source goes on air.
    package func setSlate(_ clip: SlateClip, of channel: String, report: @escaping @Sendable (SlateEvent) -> Void) {
        channels[channel]?.setSlate(clip, report: report)
    }
}
