/// How one kind of encoder is used with FFmpeg. Everything that differs between encoders is here, nothing else is.
public protocol EncoderRecipe: Sendable {
    /// FFmpeg's name of the encoder, `libx264`.
    var encoder: String { get }
    /// Before the input: opening a device.
    var deviceOptions: [String] { get }
    /// At the end of the filter chain: pixel format, upload.
    var filters: [String] { get }
    /// The encoder's own options, without `-c:v`, size, and forced keyframes.
    /// - Parameter inputRate: frames per second that arrive, when known.
    func options(for settings: VideoSettings, inputRate: FrameRate?) -> [String]
}

extension EncoderRecipe {
    public var deviceOptions: [String] { [] }
}
