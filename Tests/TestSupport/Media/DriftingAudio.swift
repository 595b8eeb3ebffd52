import Foundation

/// Audio from a card whose clock is slightly wrong. It has a click at each true second.
package enum DriftingAudio {
    /// Runs a filter on such audio, faster than real time.
    ///
    /// - Parameters:
    ///   - rate: The samples that the card records in a true second and labels as 48000.
    ///   - filter: The filter that is to restore true time.
    /// - Returns: For each click, how many seconds it is off its second.
    package static func offsets(seconds: Int, rate: Int, filter: String, in folder: TemporaryFolder) async throws
        -> [Double]
    {
        let (recorded, filtered) = (folder.path("recorded.nut"), folder.path("filtered.nut"))
        // Made by FFmpeg: true audio, resampled to the card's rate, then labelled as 48000 without changing its times.
        _ = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i",
                "aevalsrc='if(lt(mod(t,1),0.02),0.8*sin(2*PI*1000*t),0)':s=48000:d=\(seconds)",
                "-af", "aresample=\(rate),asetrate=48000,asetpts='N/\(rate)/TB'", "-c:a", "pcm_s16le", "-f", "nut",
                recorded,
            ], within: .seconds(120)
        ).success("the card")
        _ = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-y", "-copyts", "-i", recorded, "-af", filter, "-c:a", "pcm_s16le", "-f",
                "nut", filtered,
            ], within: .seconds(120)
        ).success("the filter")
        let log = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "info", "-nostats", "-nostdin", "-copyts", "-i", filtered, "-af", "silencedetect=n=-30dB:d=0.3",
                "-f", "null", "-",
            ], within: .seconds(120))
        let ends = log.errors.split(separator: "\n").compactMap { line -> Double? in
            guard let range = line.range(of: "silence_end: ") else { return nil }
            return Double(line[range.upperBound...].prefix { $0 != " " })
        }
        return ends.map { $0 - $0.rounded() }
    }
}
