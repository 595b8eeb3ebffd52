/// What a relay does with the source's audio.
public enum RelayAudio: Sendable, Hashable {
    /// Passes AAC through.
    case copy
    /// Encodes to AAC, 48 kHz stereo. `bitrate` in bits/s.
    case aac(bitrate: Int)
}
