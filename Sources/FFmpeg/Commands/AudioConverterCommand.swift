/// FLV with audio alone on standard input → AAC stereo as MPEG-TS on standard output, with the timestamps of the input.
///
/// Measured with FFmpeg 5.1, 7.1 and 9.0, with every codec that they read from FLV: a beep of the input is at its
/// position in the output, to half a millisecond. No delay needs correction: the encoder's own delay is in its
/// timestamps. A pause of half a second is filled with silence, and the audio after it is at its position, to a
/// millisecond.
package struct AudioConverterCommand: Sendable, Hashable {
    /// The bitrate of the AAC, in bits per second.
    package var bitrate: Int
    /// Samples per second of the AAC: one of the rates that ADTS has a number for.
    package var sampleRate: Int
    /// How many samples to leave out, counted from the first message at `sampleRate`. The output then begins with a
    /// frame at this sample, so that it continues audio that was converted before: that audio ends there, or a whole
    /// number of frames from there. The first frame of the encoder, one frame earlier, holds only half of its audio.
    /// `nil` leaves out nothing.
    package var firstSample: Int64?

    package init(bitrate: Int = 192_000, sampleRate: Int = 48_000, firstSample: Int64? = nil) {
        self.bitrate = bitrate
        self.sampleRate = sampleRate
        self.firstSample = firstSample
    }

    /// The first message that FFmpeg reads has all parameters.
    ///
    /// Measured from the start of the process to its first output frame: 50 to 200 ms, with MP3, AAC and µ-law; 5.1 s
    /// with FFmpeg's own settings, and 8 s where the header of the FLV announces video too. `nobuffer` gains nothing
    /// and loses the first message.
    private static let probing = ["-copyts", "-probesize", "32", "-analyzeduration", "1", "-f", "flv", "-i", "pipe:0"]

    package func command() -> FFmpegCommand {
        var filters = ["aresample=\(sampleRate):\(AudioTreatment.gapFilling)"]
        // After the resampler the time base is one sample.
        if let firstSample { filters.append("atrim=start_pts=\(firstSample)") }
        let encoding = [
            "-map", "0:a:0", "-c:a", "aac", "-b:a", "\(bitrate)", "-ac", "2",
            "-af", filters.joined(separator: ","),
        ]
        return FFmpegCommand(
            role: .audioConverter,
            arguments: FFmpegCommand.preamble(.audioConverter) + Self.probing + encoding + TransportStreamOutput.options
        )
    }
}

extension FFmpegCapabilities {
    /// Whether its FLV demuxer reads audio in a codec, given by FFmpeg's name. FFmpeg 8.0 and later read the codecs of
    /// Enhanced RTMP. FFmpeg lists no codecs of a demuxer, so the version decides.
    package func readsFromFLV(audio codec: String) -> Bool {
        guard ["ac3", "eac3", "flac", "opus"].contains(codec) else { return true }
        return version.equivalent.map { $0 >= FFmpegVersion.Release(major: 8, minor: 0) } ?? true
    }
}
