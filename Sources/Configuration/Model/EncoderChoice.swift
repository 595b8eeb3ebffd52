/// Which encoder a group asks for.
public enum EncoderChoice: Sendable, Equatable, CustomStringConvertible {
    /// Whatever the box has, in the order of ``EncoderPreferences``.
    case auto
    /// These, best first; at least one, all of the group's codec.
    case list([EncoderRequest])

    public var description: String {
        switch self {
        case .auto: "auto"
        case .list(let requests) where requests.count == 1: requests[0].description
        case .list(let requests): "[" + requests.map(\.description).joined(separator: ", ") + "]"
        }
    }
}

/// One encoder by its FFmpeg name, on any GPU or on one: `h264_vaapi@0000:03:00.0`.
public struct EncoderRequest: Sendable, Equatable, CustomStringConvertible {
    /// One of ``EncoderName/all``.
    public var name: String
    /// The PCI slot (or the platform name) of a GPU; nil: any.
    public var gpu: String?

    public init(name: String, gpu: String? = nil) {
        self.name = name
        self.gpu = gpu
    }

    public var description: String { gpu.map { "\(name)@\($0)" } ?? name }
}
