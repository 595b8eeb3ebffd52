import Foundation

/// Sound that a card takes whose clock is not quite the one of the world: a click each second, by the world's.
package enum DriftingSound {
    /// Runs a filter on such sound, faster than the clock.
    ///
    /// - Parameters:
    ///   - rate: Samples that the card takes in a second and calls 48000.
    ///   - filter: What is to bring the sound back to the world's time.
    /// - Returns: For each click, how many seconds it is off its second.
    package static func offsets(seconds: Int, rate: Int, filter: String, in folder: TemporaryFolder) async throws
        -> [Double]
    {
        let (taken, mended) = (folder.path("taken.nut"), folder.path("mended.nut"))
        // FFmpeg's own arithmetic: true sound, resampled to what the card takes, then called 48000 with the times that
        // it has.
        _ = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i",
                "aevalsrc='if(lt(mod(t,1),0.02),0.8*sin(2*PI*1000*t),0)':s=48000:d=\(seconds)",
                "-af", "aresample=\(rate),asetrate=48000,asetpts='N/\(rate)/TB'", "-c:a", "pcm_s16le", "-f", "nut",
                taken,
            ], within: .seconds(120)
        ).success("the card")
        _ = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-y", "-copyts", "-i", taken, "-af", filter, "-c:a", "pcm_s16le", "-f",
                "nut", mended,
            ], within: .seconds(120)
        ).success("the filter")
        let log = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "info", "-nostats", "-nostdin", "-copyts", "-i", mended, "-af", "silencedetect=n=-30dB:d=0.3",
                "-f", "null", "-",
            ], within: .seconds(120))
        let ends = log.errors.split(separator: "\n").compactMap { line -> Double? in
            guard let range = line.range(of: "silence_end: ") else { return nil }
            return Double(line[range.upperBound...].prefix { $0 != " " })
        }
        return ends.map { $0 - $0.rounded() }
    }
}
