public import Configuration

/// One encoder on one device: what a group may be given.
public struct EncoderCandidate: Sendable, Hashable, CustomStringConvertible {
    /// FFmpeg's name, `h264_vaapi`.
    public var name: String
    /// The GPU's slot; `nil` for software and for devices that are no GPU.
    public var gpu: String?

    public init(_ name: String, gpu: String? = nil) {
        self.name = name
        self.gpu = gpu
    }

    public var description: String { gpu.map { "\(name)@\($0)" } ?? name }

    /// `nil` for a name that is no encoder of this service.
    public var family: EncoderFamily? { EncoderName.known(name)?.family }
    public var codec: VideoCodec? { EncoderName.known(name)?.codec }
    public var isSoftware: Bool { family == .software }
    /// What fails as a whole: the GPU's slot, or the family where there is no GPU.
    public var device: String { gpu ?? family?.rawValue ?? name }

    /// The software encoder of a codec.
    public static func software(_ codec: VideoCodec) -> EncoderCandidate {
        EncoderCandidate(codec == .hevc ? "libx265" : "libx264")
    }

    /// Reads `h264_vaapi@0000:00:02.0`.
    public init(parsing text: String) {
        let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
        self.init(parts.first ?? "", gpu: parts.count > 1 ? parts[1] : nil)
    }
}
