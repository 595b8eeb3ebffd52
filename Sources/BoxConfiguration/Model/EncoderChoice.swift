/// The encoder that a group's configuration asks for.
package enum EncoderChoice: Sendable, Equatable, CustomStringConvertible {
    /// Any encoder of the box, in the order of ``EncoderPreferences``.
    case auto
    /// One of these encoders, best first. The list has at least one, and all are of the group's codec.
    case list([EncoderRequest])

    package var description: String {
        switch self {
        case .auto: "auto"
        case .list(let requests) where requests.count == 1: requests[0].description
        case .list(let requests): "[" + requests.map(\.description).joined(separator: ", ") + "]"
        }
    }
}

/// One encoder by its FFmpeg name, on any GPU or on one: `h264_vaapi@0000:03:00.0`.
package struct EncoderRequest: Sendable, Equatable, CustomStringConvertible {
    /// The name of the encoder, one of ``EncoderName/all``.
    package var name: String
    /// The PCI slot (or the platform name) of a GPU. `nil` for any GPU.
    package var gpu: String?

    package init(name: String, gpu: String? = nil) {
        self.name = name
        self.gpu = gpu
    }

    package var description: String { gpu.map { "\(name)@\($0)" } ?? name }
}
