/// A capture card, bound by what it is and never by its number under `/dev`.
public struct CaptureSource: Sendable, Equatable {
    public var binding: CaptureBinding
    /// nil: what the card delivers.
    public var size: PixelSize?
    /// nil: what the card delivers.
    public var rate: FrameRate?
    public var audio: CaptureAudio

    public init(
        binding: CaptureBinding, size: PixelSize? = nil, rate: FrameRate? = nil, audio: CaptureAudio = .auto
    ) {
        self.binding = binding
        self.size = size
        self.rate = rate
        self.audio = audio
    }
}

/// What tells one capture card from another.
public enum CaptureBinding: Sendable, Equatable {
    case serial(String)
    /// The USB or PCI path.
    case path(String)
    case model(String)
    /// The first card that no other source claims.
    case any
}

/// The sound that goes with a capture card.
public enum CaptureAudio: Sendable, Equatable, CustomStringConvertible {
    /// The sound card on the same USB parent; the default.
    case auto
    case none
    /// An ALSA id.
    case device(String)

    public var description: String {
        switch self {
        case .auto: "auto"
        case .none: "none"
        case .device(let id): id
        }
    }
}

/// Frames that another program writes to a FIFO.
public struct RawSource: Sendable, Equatable {
    public var path: String
    public var size: PixelSize
    public var rate: FrameRate
    /// `bgra` by default.
    public var pixels: PixelFormat

    public init(path: String, size: PixelSize, rate: FrameRate, pixels: PixelFormat = .bgra) {
        self.path = path
        self.size = size
        self.rate = rate
        self.pixels = pixels
    }
}

/// How raw frames are laid out, by FFmpeg's names.
public enum PixelFormat: String, Sendable, CaseIterable {
    case bgra, rgba, argb, abgr, bgr0, rgb0, bgr24, rgb24, nv12, yuv420p, yuyv422, uyvy422
}

/// A media file that exists.
public struct FileSource: Sendable, Equatable {
    public var path: String
    /// Whether it starts again at its end; false by default, so that the next source takes over.
    public var loop: Bool
    /// The number of the program that is taken where the file has several; nil: that of the first picture.
    public var program: Int?

    public init(path: String, loop: Bool = false, program: Int? = nil) {
        self.path = path
        self.loop = loop
        self.program = program
    }
}

/// A test picture with a tone.
public struct TestSource: Sendable, Equatable {
    /// 1280x720 by default.
    public var size: PixelSize
    /// 30 by default.
    public var rate: FrameRate

    public init(
        size: PixelSize = PixelSize(width: 1280, height: 720), rate: FrameRate = FrameRate(numerator: 30)
    ) {
        self.size = size
        self.rate = rate
    }
}
