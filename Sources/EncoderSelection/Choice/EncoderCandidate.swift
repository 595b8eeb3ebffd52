package import BoxConfiguration
package import MediaTypes

/// One encoder on one device, which a group may use.
package struct EncoderCandidate: Sendable, Hashable, CustomStringConvertible {
    /// FFmpeg's name, `h264_vaapi`.
    package var name: String
    /// The GPU's slot. `nil` for software and for devices that are not GPUs.
    package var gpu: String?

    package init(_ name: String, gpu: String? = nil) {
        self.name = name
        self.gpu = gpu
    }

    package var description: String { gpu.map { "\(name)@\($0)" } ?? name }

    /// The family of the encoder. `nil` for a name that the service does not know.
    package var family: EncoderFamily? { EncoderName.known(name)?.family }
    package var codec: VideoCodec? { EncoderName.known(name)?.codec }
    package var isSoftware: Bool { family == .software }
    /// The part that fails as a whole: the GPU's slot, or the family if there is no GPU.
    package var device: String { gpu ?? family?.rawValue ?? name }

    /// The software encoder of a codec.
    package static func software(_ codec: VideoCodec) -> EncoderCandidate {
        EncoderCandidate(codec == .hevc ? "libx265" : "libx264")
    }

    /// Reads `h264_vaapi@0000:00:02.0`.
    package init(parsing text: String) {
        let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
        self.init(parts.first ?? "", gpu: parts.count > 1 ? parts[1] : nil)
    }
}
