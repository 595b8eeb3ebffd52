/// How one kind of encoder is used with FFmpeg. Everything that differs between encoders is here, nothing else is.
public protocol EncoderRecipe: Sendable {
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
    public var deviceOptions: [String] { [] }
    public var needsStatedRate: Bool { true }
    public var environment: [String: String] { [:] }
    public var scales: Bool { false }

    /// The filters that bring a picture to the encoder in the size that is asked for.
    ///
    /// - Parameter arriving: The size of the pictures that come, where another one may follow: a GPU that scales is given this one
    ///   whatever comes.
    public func chain(for settings: VideoSettings, arriving: FrameSize? = nil) -> [String] {
        guard let size = settings.size else { return filters(for: settings) }
        if scales { return (arriving.map { ["scale=\($0.width):\($0.height)"] } ?? []) + filters(for: settings) }
        return ["scale=\(size.width):\(size.height)", "setsar=1"] + filters(for: settings)
    }
}
