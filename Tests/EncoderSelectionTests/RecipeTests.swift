import CapabilityProbe
import Configuration
import EncoderSelection
import FFmpeg
import Testing

/// What each encoder is told.
@Suite struct RecipeTests {
    private static let recipes: [any EncoderRecipe] = [
        Libx264Recipe(), Libx265Recipe(), VAAPIRecipe(codec: .h264, node: "/dev/dri/renderD128"),
        VAAPIRecipe(codec: .hevc, node: "/dev/dri/renderD128"), NVENCRecipe(codec: .h264), NVENCRecipe(codec: .hevc, index: 1),
        QSVRecipe(codec: .h264, node: "/dev/dri/renderD128"), QSVRecipe(codec: .hevc, node: "/dev/dri/renderD128"), V4L2M2MRecipe(codec: .h264),
    ]

    private func options(_ recipe: any EncoderRecipe, _ settings: VideoSettings) -> [String: String] {
        let list = recipe.options(for: settings, inputRate: FrameRate(30))
        return Dictionary(uniqueKeysWithValues: stride(from: 0, to: list.count, by: 2).map { (list[$0], list[$0 + 1]) })
    }

    @Test("every encoder has the bitrate that was asked for, no reordering, and no keyframes by count before those by time")
    func common() {
        for recipe in Self.recipes {
            let settings = VideoSettings(bitrate: 3_000_000, keyframe: .seconds(2))
            let found = options(recipe, settings)
            #expect(found["-b:v"] == "3000000", "\(recipe.encoder)")
            #expect(found["-bf"] == "0", "\(recipe.encoder)")
            let ceiling = found["-g"] ?? found["-x265-params"]?.split(separator: ":").first { $0.hasPrefix("keyint=") }.map { String($0.dropFirst(7)) }
            #expect(ceiling == "120", "\(recipe.encoder)")
        }
    }

    @Test("keyframes that are forced can be begun at, with every encoder that would make others")
    func forced() {
        let settings = VideoSettings(bitrate: 1)
        #expect(options(NVENCRecipe(codec: .h264), settings)["-forced-idr"] == "1")
        #expect(options(QSVRecipe(codec: .h264, node: "x"), settings)["-forced_idr"] == "1")
        #expect(options(Libx265Recipe(), settings)["-forced-idr"] == "1")
        #expect(options(VAAPIRecipe(codec: .h264, node: "x"), settings)["-idr_interval"] == "0")
    }

    @Test("profiles have each encoder's own names")
    func profiles() {
        let baseline = VideoSettings(bitrate: 1, profile: "baseline")
        #expect(options(VAAPIRecipe(codec: .h264, node: "x"), baseline)["-profile:v"] == "constrained_baseline")
        #expect(options(NVENCRecipe(codec: .h264), baseline)["-profile:v"] == "baseline")
    }
}

@Suite struct TrialCommandTests {
    @Test("a trial has the options that a group's encoder has, so that one which is refused shows in it", arguments: ["5.1.9", "7.1.5", "9.0.2"])
    func alike(version: String) throws {
        let ffmpeg = FFmpegCapabilities.complete(try #require(FFmpegVersion(output: "ffmpeg version \(version) C")))
        let recipe = NVENCRecipe(codec: .h264)
        let job = EncodingJob(VideoEncoding(codec: .h264, size: PixelSize(width: 640, height: 360)), arriving: FrameSize(width: 640, height: 360))
        let trial = TrialCommand(recipe: recipe, job: job).command(for: ffmpeg).arguments
        let group = EncoderCommand(video: .encode(job.settings, with: recipe), audio: .copy, inputRate: job.rate).command(for: ffmpeg).arguments
        let own: Set<String> = ["-force_key_frames", "-vf", "-g"]
        for option in ["-fps_mode", "-enc_time_base", "-r", "-c:v", "-preset", "-rc", "-bf", "-b:v"] where !own.contains(option) {
            let values = [trial, group].map { words in words.firstIndex(of: option).map { words[$0 + 1] } }
            #expect(values[0] == values[1], "\(option): \(values)")
        }
        #expect(trial.contains("-r") == version.hasPrefix("5"))
    }
}
