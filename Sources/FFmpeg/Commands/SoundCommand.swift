/// FLV with audio alone on standard input → AAC stereo as MPEG-TS on standard output, at the times of the input.
///
/// Measured with FFmpeg 5.1, 7.1 and 9.0, with every codec that they read from FLV: a beep of the input is in its place
/// in the output, to half a millisecond. No delay has to be corrected: the encoder's own is in its timestamps. A pause
/// of half a second is filled with silence, and what comes behind it is in its place, to a millisecond.
package struct SoundCommand: Sendable, Hashable {
    /// Bits a second of the AAC.
    package var bitrate: Int
    /// Samples a second of the AAC: one of the rates that ADTS has a number for.
    package var sampleRate: Int
    /// Samples from the first message on, at `sampleRate`, that are left out: what was converted before ends there, or
    /// whole frames from there. A frame begins there then. The one before it, with which the encoder begins, holds half
    /// of its sound.
    package var firstSample: Int64?

    package init(bitrate: Int = 192_000, sampleRate: Int = 48_000, firstSample: Int64? = nil) {
        self.bitrate = bitrate
        self.sampleRate = sampleRate
        self.firstSample = firstSample
    }

    /// The first message that FFmpeg reads says all there is to say.
    ///
    /// Measured from the start of the process to the first frame that it gives: 50 to 200 ms, with MP3, AAC and µ-law;
    /// 5.1 s with FFmpeg's own settings, and 8 s where the header of the FLV announces video too. `nobuffer` gains
    /// nothing and loses the first message.
    private static let look = ["-copyts", "-probesize", "32", "-analyzeduration", "1", "-f", "flv", "-i", "pipe:0"]

    package func command() -> FFmpegCommand {
        var filters = ["aresample=\(sampleRate):\(AudioTreatment.gapFilling)"]
        // After the resampler the time base is one sample.
        if let firstSample { filters.append("atrim=start_pts=\(firstSample)") }
        let encoding = [
            "-map", "0:a:0", "-c:a", "aac", "-b:a", "\(bitrate)", "-ac", "2",
            "-af", filters.joined(separator: ","),
        ]
        return FFmpegCommand(
            role: .sound,
            arguments: FFmpegCommand.preamble(.sound) + Self.look + encoding + TransportStreamOutput.options)
    }
}

extension FFmpegCapabilities {
    /// Whether its FLV demuxer reads audio in a codec, by FFmpeg's name of it. What came with Enhanced RTMP is read by
    /// FFmpeg 8.0 and later, which FFmpeg does not tell.
    package func readsFromFLV(audio codec: String) -> Bool {
        guard ["ac3", "eac3", "flac", "opus"].contains(codec) else { return true }
        return version.equivalent.map { $0 >= FFmpegVersion.Release(major: 8, minor: 0) } ?? true
    }
}
