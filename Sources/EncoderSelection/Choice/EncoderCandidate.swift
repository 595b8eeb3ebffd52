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

    public static let libx264 = EncoderCandidate("libx264")
}
