import BoxConfiguration
package import FFmpeg
package import MediaTypes

/// The options that all hardware encoders have in common.
private func commonOptions(_ settings: VideoSettings, _ inputRate: FrameRate?) -> [String] {
    let rate = settings.frameRate ?? inputRate
    return [
        "-b:v", "\(settings.bitrate)", "-maxrate", "\(settings.bitrate)", "-bufsize", "\(settings.bitrate)",
        // B-frames would change the order of the frames, at which encoders are switched.
        "-bf", "0",
        // Only an upper limit: keyframes are forced by time.
        "-g", "\(rate.map { $0.frames(in: settings.keyframeInterval) * 2 } ?? 600)",
    ]
}

/// Returns the format of frames in the memory of a GPU: ten bits if the profile needs them.
private func surfaceFormat(_ settings: VideoSettings) -> String { settings.profile == "main10" ? "p010le" : "nv12" }

/// The recipe for Intel and AMD GPUs, through the kernel's render node and the vendor's VA driver.
package struct VAAPIRecipe: EncoderRecipe {
    package let codec: VideoCodec
    /// `/dev/dri/renderD128`
    package let node: String
    /// Whether the GPU has an entrypoint for scaling, and passed a trial with it.
    package let scalesOnGPU: Bool

    package init(codec: VideoCodec, node: String, scalesOnGPU: Bool = false) {
        self.codec = codec
        self.node = node
        self.scalesOnGPU = scalesOnGPU
    }

    package var encoder: String { "\(codec.rawValue)_vaapi" }
    package var deviceOptions: [String] { ["-vaapi_device", node] }
    package var scales: Bool { scalesOnGPU }

    /// The GPU gets frames as NV12. The processor scales them before the upload, or the GPU after it.
    package func filters(for settings: VideoSettings) -> [String] {
        let format = surfaceFormat(settings)
        let upload = ["format=\(format)", "hwupload"]
        guard scalesOnGPU, let size = settings.size else { return upload }
        return upload + [
            "scale_vaapi=w=\(size.width):h=\(size.height):format=\(format == "nv12" ? format : "p010")", "setsar=1",
        ]
    }

    package func options(for settings: VideoSettings, inputRate: FrameRate?) -> [String] {
        var options =
            commonOptions(settings, inputRate) + [
                "-rc_mode", "CBR",
                // One frame at a time: frames queued in the driver add delay.
                "-async_depth", "1", "-idr_interval", "0",
            ]
        // The name differs, but the stream is the same.
        if let profile = settings.profile {
            options += ["-profile:v", profile == "baseline" ? "constrained_baseline" : profile]
        }
        return options
    }
}

/// The recipe for NVIDIA GPUs.
package struct NVENCRecipe: EncoderRecipe {
    package let codec: VideoCodec
    /// CUDA's number of the GPU. `nil` leaves the choice to the driver.
    package let index: Int?

    package init(codec: VideoCodec, index: Int? = nil) {
        self.codec = codec
        self.index = index
    }

    package var encoder: String { "\(codec.rawValue)_nvenc" }
    /// By default CUDA numbers the GPUs by their speed. This variable makes it number them by slot.
    package var environment: [String: String] { ["CUDA_DEVICE_ORDER": "PCI_BUS_ID"] }
    package func filters(for settings: VideoSettings) -> [String] {
        ["format=\(settings.profile == "main10" ? "p010le" : "yuv420p")"]
    }

    package func options(for settings: VideoSettings, inputRate: FrameRate?) -> [String] {
        var options =
            commonOptions(settings, inputRate) + [
                "-preset", "p4", "-tune", "ull", "-rc", "cbr", "-zerolatency", "1", "-delay", "0", "-forced-idr", "1",
            ]
        if let index { options += ["-gpu", "\(index)"] }
        if let profile = settings.profile { options += ["-profile:v", profile] }
        return options
    }
}

/// The recipe for Intel GPUs through Quick Sync.
package struct QSVRecipe: EncoderRecipe {
    package let codec: VideoCodec
    /// `/dev/dri/renderD128`
    package let node: String

    package init(codec: VideoCodec, node: String) {
        self.codec = codec
        self.node = node
    }

    package var encoder: String { "\(codec.rawValue)_qsv" }
    package var deviceOptions: [String] { ["-init_hw_device", "vaapi=va:\(node)", "-init_hw_device", "qsv=qs@va"] }
    package func filters(for settings: VideoSettings) -> [String] { ["format=\(surfaceFormat(settings))"] }

    package func options(for settings: VideoSettings, inputRate: FrameRate?) -> [String] {
        var options =
            commonOptions(settings, inputRate) + [
                "-preset", "veryfast", "-async_depth", "1", "-forced_idr", "1",
            ]
        if codec == .h264 { options += ["-look_ahead", "0"] }
        if let profile = settings.profile { options += ["-profile:v", profile] }
        return options
    }
}

/// The recipe for encoders of the kernel's video devices (V4L2), mostly on ARM boards.
package struct V4L2M2MRecipe: EncoderRecipe {
    package let codec: VideoCodec

    package init(codec: VideoCodec) {
        self.codec = codec
    }

    package var encoder: String { "\(codec.rawValue)_v4l2m2m" }
    package func filters(for settings: VideoSettings) -> [String] { ["format=yuv420p"] }

    package func options(for settings: VideoSettings, inputRate: FrameRate?) -> [String] {
        commonOptions(settings, inputRate) + ["-num_output_buffers", "8", "-num_capture_buffers", "8"]
    }
}
