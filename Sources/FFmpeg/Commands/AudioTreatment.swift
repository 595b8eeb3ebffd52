/// The treatment of the audio by an encoder.
package enum AudioTreatment: Sendable, Hashable {
    case copy
    /// `bitrate` in bits/s, `rate` in Hz.
    case aac(bitrate: Int, rate: Int, channels: Int)

    /// Fills gaps of at least 20 ms with silence, cuts overlaps, and otherwise leaves the samples unchanged.
    ///
    /// Measured: with gaps of 25 frames and of one frame in the source, the output stays on its grid of 1024 samples
    /// without a gap. FFmpeg's own threshold of 100 ms leaves the audio 20 ms early after each lost frame. Without the
    /// filter the output has the same gap. Values of `async` above 1 stretch the audio all the time.
    static let gapFilling = "async=1:min_hard_comp=0.02"

    /// For audio and video with different clocks. Stretches the audio by up to 2 % to follow the video's clock, and
    /// cuts or fills it if it is 100 ms off. Measured: with a clock that is off by 208 ppm for ten minutes (125 ms
    /// without the filter), the audio keeps its position within 1.4 ms.
    package static let clockFollowing = "async=960:min_comp=0.001:min_hard_comp=0.1"
}
