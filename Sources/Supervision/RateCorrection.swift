import Configuration
import EncoderSelection
import FFmpeg
import TransportStream

/// Whether an encoder shares its bits out among another number of frames than arrive.
enum RateCorrection {
    /// What an encoder goes by that is told no rate and cannot go by timestamps.
    private static let assumed = VideoFormat.Fraction(30, 1)

    /// Whether another encoder has to take over from one that was told a rate.
    ///
    /// - Parameters:
    ///   - told: The rate that the one in use was told would arrive; `nil` where it was not known then.
    ///   - rate: The rate that arrives; `nil` while it is not known.
    ///   - isHardware: The one in use goes by FFmpeg's guess where it was told nothing.
    static func isNeeded(for wish: VideoEncoding, told: VideoFormat.Fraction?, rate: VideoFormat.Fraction?, isHardware: Bool) -> Bool {
        guard let rate else { return false }
        let converted = VideoSettings(wish, size: nil, arriving: told.map { FFmpeg.FrameRate($0.numerator, $0.denominator) }).rate
        // A conversion gives the encoder the rate that it was told, whatever arrives.
        guard converted == nil else { return false }
        guard let told else { return isHardware || !assumed.agrees(with: rate) }
        return !told.agrees(with: rate)
    }
}
