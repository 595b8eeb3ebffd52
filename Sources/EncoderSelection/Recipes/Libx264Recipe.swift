package import FFmpeg
package import MediaTypes

/// The recipe for H.264 in software.
package struct Libx264Recipe: EncoderRecipe {
    package var preset: String

    package init(preset: String = "veryfast") {
        self.preset = preset
    }

    package init(effort: EncoderEffort) {
        switch effort {
        case .normal: self.init(preset: "veryfast")
        case .less: self.init(preset: "superfast")
        case .least: self.init(preset: "ultrafast")
        }
    }

    package var encoder: String { "libx264" }
    package var needsStatedRate: Bool { false }
    package func filters(for settings: VideoSettings) -> [String] { ["format=yuv420p"] }

    package func options(for settings: VideoSettings, inputRate: FrameRate?) -> [String] {
        let rate = settings.frameRate ?? inputRate
        var options = [
            "-preset", preset, "-tune", "zerolatency",
            "-b:v", "\(settings.bitrate)", "-maxrate", "\(settings.bitrate)", "-bufsize", "\(settings.bitrate)",
            // B-frames would change the order of the frames, at which encoders are switched.
            "-bf", "0", "-sc_threshold", "0",
            // Only an upper limit: keyframes are forced by time.
            "-g", "\(rate.map { $0.frames(in: settings.keyframeInterval) * 2 } ?? 600)",
        ]
        if let profile = settings.profile { options += ["-profile:v", profile] }
        // With so little probing FFmpeg often assumes 90000 frames per second (whenever audio arrives first), and
        // zerolatency makes x264 use that rate: it encoded 9 kbit/s where 2 Mbit/s was configured. So x264 gets the
        // rate, or uses the timestamps if the rate is unknown (which costs one frame of delay).
        options += ["-x264-params", rate.map { "fps=\($0)" } ?? "force-cfr=0"]
        return options
    }
}
