import BoxConfiguration
import CapabilityProbe
import EncoderSelection
import FFmpeg
import MediaTypes
import Testing

/// The options of each encoder.
@Suite struct RecipeTests {
    private static let recipes: [any EncoderRecipe] = [
        Libx264Recipe(), Libx265Recipe(), VAAPIRecipe(codec: .h264, node: "/dev/dri/renderD128"),
        VAAPIRecipe(codec: .hevc, node: "/dev/dri/renderD128"), NVENCRecipe(codec: .h264),
        NVENCRecipe(codec: .hevc, index: 1),
        QSVRecipe(codec: .h264, node: "/dev/dri/renderD128"), QSVRecipe(codec: .hevc, node: "/dev/dri/renderD128"),
        V4L2M2MRecipe(codec: .h264),
    ]

    private func options(_ recipe: any EncoderRecipe, _ settings: VideoSettings) -> [String: String] {
        let list = recipe.options(for: settings, inputRate: FrameRate(30))
        return Dictionary(uniqueKeysWithValues: stride(from: 0, to: list.count, by: 2).map { (list[$0], list[$0 + 1]) })
    }

    @Test(
        "every encoder has its bitrate, no reordering, and keyframes by time only"
    )
    func common() {
        for recipe in Self.recipes {
            let settings = VideoSettings(bitrate: 3_000_000, keyframeInterval: .seconds(2))
            let found = options(recipe, settings)
            #expect(found["-b:v"] == "3000000", "\(recipe.encoder)")
            #expect(found["-bf"] == "0", "\(recipe.encoder)")
            let ceiling =
                found["-g"]
                ?? found["-x265-params"]?.split(separator: ":").first { $0.hasPrefix("keyint=") }.map {
                    String($0.dropFirst(7))
                }
            #expect(ceiling == "120", "\(recipe.encoder)")
        }
    }

    @Test("each effort has a preset, and equal presets are one step")
    func presets() {
        let presets = { (codec: VideoCodec) in
            SoftwarePreset.efforts(for: codec).map { SoftwarePreset.name($0, for: codec) }
        }
        #expect(presets(.h264) == ["veryfast", "superfast", "ultrafast"])
        #expect(presets(.hevc) == ["superfast", "ultrafast"])
    }

    @Test("a forced keyframe is one that a reader can begin with")
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

@Suite struct ShapeTests {
    private let encoding = VideoEncoding(size: FrameSize(width: 1280, height: 720))

    @Test("a GPU does not scale frames of another shape, and its trial has the same chain")
    func gpu() {
        let recipe = VAAPIRecipe(codec: .h264, node: "/dev/dri/renderD128", scalesOnGPU: true)
        let landscape = EncodingJob(encoding, arriving: FrameSize(width: 1920, height: 1080))
        #expect(landscape.scales && landscape.settings.fit == .stretch)
        #expect(recipe.chain(for: landscape.settings, arriving: landscape.arriving).first == "scale=1920:1080")
        let portrait = EncodingJob(encoding, arriving: FrameSize(width: 1080, height: 1920))
        #expect(!portrait.scales && portrait.settings.fit == .pad)
        let chain = recipe.chain(for: portrait.settings, arriving: portrait.arriving)
        #expect(chain.suffix(3) == ["pad=1280:720:(ow-iw)/2:(oh-ih)/2:eval=frame", "format=nv12", "hwupload"])
        #expect(!chain.contains { $0.contains("scale_vaapi") })
    }

    @Test("fit and deinterlacing follow the configuration, and progressive frames stay")
    func settings() {
        let frames = ArrivingFrames(size: FrameSize(width: 720, height: 576), isInterlaced: true)
        func settings(_ fit: PictureFit, _ deinterlace: DeinterlaceMode, _ frames: ArrivingFrames)
            -> VideoSettings
        {
            var encoding = encoding
            (encoding.fit, encoding.deinterlace) = (fit, deinterlace)
            return VideoSettings(encoding, size: nil, arriving: nil, frames: frames)
        }
        #expect(
            settings(.pad, .auto, frames).fit == .pad && settings(.pad, .auto, frames).deinterlacing == .onePerFrame)
        #expect(
            settings(.crop, .field, frames).fit == .crop(FrameSize(width: 720, height: 406))
                && settings(.crop, .field, frames).deinterlacing == .onePerField)
        #expect(
            settings(.stretch, .off, frames).fit == .stretch && settings(.stretch, .off, frames).deinterlacing == nil)
        #expect(!settings(.pad, .auto, frames).deinterlacesAll)
        var unmarked = frames
        unmarked.areMarked = false
        #expect(settings(.pad, .auto, unmarked).deinterlacesAll)
        let wide = ArrivingFrames(size: FrameSize(width: 720, height: 576), pixel: PixelAspect(width: 64, height: 45))
        #expect(settings(.pad, .field, wide).fit == .stretch && settings(.pad, .field, wide).deinterlacing == nil)
    }
}

@Suite struct TrialCommandTests {
    @Test(
        "a trial has the options of a group's encoder, so that it shows a refused one",
        arguments: ["5.1.9", "7.1.5", "9.0.2"])
    func alike(version: String) throws {
        let ffmpeg = FFmpegCapabilities.complete(try #require(FFmpegVersion(output: "ffmpeg version \(version) C")))
        let recipe = NVENCRecipe(codec: .h264)
        let job = EncodingJob(
            VideoEncoding(codec: .h264, size: FrameSize(width: 640, height: 360)),
            arriving: FrameSize(width: 640, height: 360))
        let trial = TrialCommand(recipe: recipe, job: job).command(for: ffmpeg).arguments
        let group = EncoderCommand(video: .encode(job.settings, with: recipe), audio: .copy, inputRate: job.rate)
            .command(for: ffmpeg).arguments
        let own: Set<String> = ["-force_key_frames", "-vf", "-g"]
        for option in ["-fps_mode", "-enc_time_base", "-r", "-c:v", "-preset", "-rc", "-bf", "-b:v"]
        where !own.contains(option) {
            let values = [trial, group].map { words in words.firstIndex(of: option).map { words[$0 + 1] } }
            #expect(values[0] == values[1], "\(option): \(values)")
        }
        #expect(trial.contains("-r") == version.hasPrefix("5"))
    }
}
