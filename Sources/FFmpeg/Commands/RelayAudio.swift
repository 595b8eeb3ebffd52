/// Treatment of the source's audio in a relay.
package enum RelayAudio: Sendable, Hashable {
    /// Passes AAC through unchanged.
    case copy
    /// Encodes to AAC, stereo. `bitrate` in bits/s, `rate` in Hz: 48,000 or 44,100.
    case aac(bitrate: Int, rate: Int = 48_000)
}
