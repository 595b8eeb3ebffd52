import BoxConfiguration
import EncoderSelection
import FFmpeg
import MPEGTS
import MediaTypes

/// Whether an encoder shares its bits out among another number of frames than arrive.
enum RateCorrection {
    /// Whether another encoder has to take over from one that was told a rate.
    ///
    /// - Parameters:
    ///   - told: The rate that the one in use was told would arrive; `nil` where it was not known then.
    ///   - rate: The rate that arrives; `nil` while it is not known.
    static func isNeeded(for wish: VideoEncoding, told: FrameRate?, rate: FrameRate?) -> Bool {
        guard let rate else { return false }
        let converted = VideoSettings(
            wish, size: nil, arriving: told
        ).rate
        // A conversion gives the encoder the rate that it was told, whatever arrives. One that was not asked for, of a
        // rate that was too fast, is for that rate alone.
        guard converted == nil || wish.rate == nil else { return false }
        // It goes by the timestamps, and then x264 holds each frame until the next one tells how long it lasts, or by
        // FFmpeg's guess.
        guard let told else { return true }
        return !told.agrees(with: rate)
    }
}
