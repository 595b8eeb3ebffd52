/// Keyframes by time, not by count: the source's rate may differ from what it says.
enum KeyframeGrid {
    /// Forces the first frame, then the first frame at least that long after the keyframe before.
    static func expression(every interval: Duration) -> String {
        "expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+\(interval.seconds)))"
    }
}
