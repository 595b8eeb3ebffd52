package import MediaTypes

/// How one kind of encoder is used with FFmpeg. Everything that differs between encoders is here, nothing else is.
package protocol EncoderRecipe: Sendable {
    /// FFmpeg's name of the encoder, `libx264`.
    var encoder: String { get }
    /// Before the input: opening a device.
    var deviceOptions: [String] { get }
    /// The encoder goes by the rate that FFmpeg tells it, and has no option of its own for it.
    var needsStatedRate: Bool { get }
    /// Variables that its process needs.
    var environment: [String: String] { get }
    /// ``filters(for:)`` brings the pictures to the size of the settings, too.
    var scales: Bool { get }
    /// At the end of the filter chain: pixel format, upload.
    func filters(for settings: VideoSettings) -> [String]
    /// The encoder's own options, without `-c:v`, size, and forced keyframes.
    /// - Parameter inputRate: frames per second that arrive, when known.
    func options(for settings: VideoSettings, inputRate: FrameRate?) -> [String]
}

extension EncoderRecipe {
    package var deviceOptions: [String] { [] }
    package var needsStatedRate: Bool { true }
    package var environment: [String: String] { [:] }
    package var scales: Bool { false }

    /// The filters that bring a picture to the encoder in the size that is asked for.
    ///
    /// - Parameter arriving: The size of the pictures that come, where another one may follow: a GPU that scales, and a
    ///   filter that crops, are given this one for all input.
    package func chain(for settings: VideoSettings, arriving: FrameSize? = nil) -> [String] {
        guard let size = settings.size else { return filters(for: settings) }
        let expected = arriving.map { ["scale=\($0.width):\($0.height)"] } ?? []
        let scaled = ["scale=\(size.width):\(size.height)", "setsar=1"]
        switch settings.fit {
        case .stretch: return scales ? expected + filters(for: settings) : scaled + filters(for: settings)
        case .pad: return padded(to: size) + filters(forScaled: settings)
        case .crop(let part):
            return expected + ["crop=\(part.width):\(part.height)"] + scaled + filters(forScaled: settings)
        }
    }

    /// A GPU that scales has nothing left to scale.
    private func filters(forScaled settings: VideoSettings) -> [String] {
        var settings = settings
        settings.size = nil
        return filters(for: settings)
    }

    /// Every frame is shown whole. Both filters look at the size of each frame, so that a source may change its own.
    ///
    /// FFmpeg 7 and later keep the pixel aspect ratio of a stream's first frame.
    private func padded(to size: FrameSize) -> [String] {
        let (width, height) = (size.width, size.height)
        // As `ArrivingFrames.hasShape(of:)`.
        let isAlike = "between(dar*\(height)/\(width),0.99,1.01)"
        return [
            "scale=w='if(\(isAlike),\(width),clip(2*round(dar*\(height)/2),2,\(width)))'"
                + ":h='if(\(isAlike),\(height),clip(2*round(\(width)/dar/2),2,\(height)))':eval=frame",
            "setsar=1", "pad=\(width):\(height):(ow-iw)/2:(oh-ih)/2:eval=frame",
        ]
    }
}
