package import MediaTypes

/// The FFmpeg options for one kind of encoder. A recipe holds everything that differs between encoders, and nothing
/// else.
package protocol EncoderRecipe: Sendable {
    /// FFmpeg's name of the encoder, `libx264`.
    var encoder: String { get }
    /// Options before the input, which open a device.
    var deviceOptions: [String] { get }
    /// Whether the encoder uses the frame rate of FFmpeg's stream, and has no option of its own for the rate.
    var needsStatedRate: Bool { get }
    /// Environment variables for the encoder's process.
    var environment: [String: String] { get }
    /// Whether ``filters(for:)`` also scales frames to the size of the settings.
    var scales: Bool { get }
    /// The last filters before the encoder: pixel format, upload to the GPU.
    func filters(for settings: VideoSettings) -> [String]
    /// The encoder's own options, without `-c:v`, size and forced keyframes.
    /// - Parameter inputRate: Frames per second of the input, if known.
    func options(for settings: VideoSettings, inputRate: FrameRate?) -> [String]
}

extension EncoderRecipe {
    package var deviceOptions: [String] { [] }
    package var needsStatedRate: Bool { true }
    package var environment: [String: String] { [:] }
    package var scales: Bool { false }

    /// Returns all filters before the encoder, which deliver frames in the size of the settings.
    ///
    /// - Parameter arriving: The size of the input frames, if it may change: a GPU that scales, and a filter that
    ///   crops, get all frames in this size.
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

    /// A GPU that could scale gets frames that already have the right size.
    private func filters(forScaled settings: VideoSettings) -> [String] {
        var settings = settings
        settings.size = nil
        return filters(for: settings)
    }

    /// Returns the filters that show every frame whole, with bars. Both filters check the size of each frame, so a
    /// source may change its frame size.
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
