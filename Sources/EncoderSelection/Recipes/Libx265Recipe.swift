package import FFmpeg
package import MediaTypes

/// The recipe for HEVC in software.
package struct Libx265Recipe: EncoderRecipe {
    package var preset: String

    package init(effort: EncoderEffort = .normal) {
        preset = effort == .normal ? "superfast" : "ultrafast"
    }

    package var encoder: String { "libx265" }
    package var needsStatedRate: Bool { false }
    package func filters(for settings: VideoSettings) -> [String] {
        ["format=\(settings.profile == "main10" ? "yuv420p10le" : "yuv420p")"]
    }

    package func options(for settings: VideoSettings, inputRate: FrameRate?) -> [String] {
        let rate = settings.frameRate ?? inputRate
        let kilobits = settings.bitrate / 1000
        var parameters = [
            // Parameter sets before every keyframe, so that a reader may begin at any keyframe.
            "repeat-headers=1", "open-gop=0", "bframes=0", "scenecut=0", "rc-lookahead=0",
            // Stated, because x265 would print a warning for small frames.
            "lookahead-slices=0",
            // Only an upper limit: keyframes are forced by time.
            "keyint=\(rate.map { $0.frames(in: settings.keyframeInterval) * 2 } ?? 600)",
            "vbv-maxrate=\(kilobits)", "vbv-bufsize=\(kilobits)", "log-level=warning",
        ]
        // x265 cannot use the timestamps. If the rate is unknown, the most common rate is closer than FFmpeg's guess.
        parameters.append("fps=\(rate ?? FrameRate(30))")
        return [
            "-preset", preset, "-tune", "zerolatency", "-b:v", "\(settings.bitrate)", "-bf", "0", "-forced-idr", "1",
            "-profile:v", settings.profile ?? "main", "-x265-params", parameters.joined(separator: ":"),
        ]
    }
}
