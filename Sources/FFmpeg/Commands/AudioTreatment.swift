/// What an encoder does with the audio.
package enum AudioTreatment: Sendable, Hashable {
    case copy
    /// `bitrate` in bits/s, `rate` in Hz.
    case aac(bitrate: Int, rate: Int, channels: Int)

    /// Fills holes of at least 20 ms with silence, cuts overlaps, and otherwise leaves the samples alone.
    ///
    /// Measured: with holes of 25 frames and of one frame in the source the output stays on its grid of 1024 samples
    /// without a gap. FFmpeg's own threshold of 100 ms leaves the sound 20 ms early after each lost frame; without the
    /// filter the hole goes out as a hole. Values of `async` above 1 stretch the sound all the time.
    static let gapFilling = "async=1:min_hard_comp=0.02"

    /// For sound whose clock is not the picture's: it is stretched, by up to a fiftieth, as far as the clocks go apart,
    /// and cut or filled where it is 100 ms off. Measured: with a clock that is off by 208 ppm for ten minutes (125 ms
    /// without it) the sound keeps its place within 1.4 ms.
    package static let clockFollowing = "async=960:min_comp=0.001:min_hard_comp=0.1"
}
