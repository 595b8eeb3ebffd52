import BoxConfiguration
import EncoderSelection
import FFmpeg
import MPEGTS
import MediaTypes

/// Decides whether an encoder has to be replaced because another frame rate arrives than it was started with. Such an
/// encoder divides its bits among a wrong number of frames.
enum RateCorrection {
    /// Returns whether another encoder has to take over.
    ///
    /// - Parameters:
    ///   - known: The rate that the encoder in use was started with. `nil` if it was not known.
    ///   - rate: The rate that arrives. `nil` while it is not known.
    static func isNeeded(for encoding: VideoEncoding, startedWith known: FrameRate?, arriving rate: FrameRate?) -> Bool
    {
        guard let rate else { return false }
        let converted = VideoSettings(encoding, size: nil, arriving: known).frameRate
        // A configured conversion gives the encoder the same rate, even if another one arrives. A conversion that is
        // not configured, of a rate that was too high, is for that rate alone.
        guard converted == nil || encoding.frameRate == nil else { return false }
        // An encoder without a rate follows the timestamps: x264 then holds each frame until the next one shows how
        // long it lasts. Or it follows FFmpeg's guess.
        guard let known else { return true }
        return !known.agrees(with: rate)
    }
}
