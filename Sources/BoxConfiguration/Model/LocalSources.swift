package import MediaTypes

/// A capture card, bound by its properties and never by its number under `/dev`.
package struct CaptureSource: Sendable, Equatable {
    package var binding: CaptureBinding
    /// The size of the frames. `nil` leaves the choice to the card's modes.
    package var size: FrameSize?
    /// Frames per second. `nil` leaves the choice to the card's modes.
    package var rate: FrameRate?
    package var audio: CaptureAudio

    package init(
        binding: CaptureBinding, size: FrameSize? = nil, rate: FrameRate? = nil, audio: CaptureAudio = .auto
    ) {
        self.binding = binding
        self.size = size
        self.rate = rate
        self.audio = audio
    }
}

/// The property by which a source names its capture card.
package enum CaptureBinding: Sendable, Equatable {
    case serial(String)
    /// The USB or PCI path.
    case path(String)
    case model(String)
    /// The first card that no other source claims.
    case any
}

/// The audio input of a capture card.
package enum CaptureAudio: Sendable, Equatable, CustomStringConvertible {
    /// The sound card on the same USB device as the capture card. This is the default.
    case auto
    case none
    /// An ALSA id.
    case device(String)

    package var description: String {
        switch self {
        case .auto: "auto"
        case .none: "none"
        case .device(let id): id
        }
    }
}

/// Frames that another program writes to a FIFO.
package struct RawSource: Sendable, Equatable {
    package var path: String
    package var size: FrameSize
    package var rate: FrameRate
    /// The pixel format. The default is `bgra`.
    package var pixels: PixelFormat

    package init(path: String, size: FrameSize, rate: FrameRate, pixels: PixelFormat = .bgra) {
        self.path = path
        self.size = size
        self.rate = rate
        self.pixels = pixels
    }
}

/// The pixel format of raw frames, by FFmpeg's names.
package enum PixelFormat: String, Sendable, CaseIterable {
    case bgra, rgba, argb, abgr, bgr0, rgb0, bgr24, rgb24, nv12, yuv420p, yuyv422, uyvy422
}

/// A media file that exists.
package struct FileSource: Sendable, Equatable {
    package var path: String
    /// Whether the file starts again at its end. The default is false, so that the next source goes on air.
    package var loop: Bool
    /// The number of the program to use if the file has several. `nil` for the program of the first video.
    package var program: Int?

    package init(path: String, loop: Bool = false, program: Int? = nil) {
        self.path = path
        self.loop = loop
        self.program = program
    }
}

/// A test picture with a tone.
package struct TestSource: Sendable, Equatable {
    /// 1280x720 by default.
    package var size: FrameSize
    /// 30 by default.
    package var rate: FrameRate

    package init(
        size: FrameSize = FrameSize(width: 1280, height: 720), rate: FrameRate = FrameRate(30)
    ) {
        self.size = size
        self.rate = rate
    }
}
