/// Keyframes by time, not by frame count: the source's real rate may differ from the announced one.
enum KeyframeGrid {
    /// Forces a keyframe at the first frame, then at the first frame that is at least `interval` after the last one.
    static func expression(every interval: Duration) -> String {
        "expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+\(interval.seconds)))"
    }
}
