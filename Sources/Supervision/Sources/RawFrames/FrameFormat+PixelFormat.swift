import BoxConfiguration
import DataPath
import MediaTypes

extension FrameFormat {
    init(_ pixels: PixelFormat, _ size: FrameSize) {
        self.init(width: size.width, height: size.height, fourCC: pixels.fourCC, byteCount: pixels.bytes(of: size))
    }
}

extension PixelFormat {
    /// The four letters by which FFmpeg knows the format in a file's header.
    fileprivate var fourCC: UInt32 {
        switch self {
        case .bgra: Self.fourCC("BGRA")
        case .rgba: Self.fourCC("RGBA")
        case .argb: Self.fourCC("ARGB")
        case .abgr: Self.fourCC("ABGR")
        case .bgr0: Self.fourCC("BGR\0")
        case .rgb0: Self.fourCC("RGB\0")
        case .bgr24: Self.fourCC("BGR\u{18}")
        case .rgb24: Self.fourCC("RGB\u{18}")
        case .nv12: Self.fourCC("NV12")
        case .yuv420p: Self.fourCC("I420")
        case .yuyv422: Self.fourCC("YUY2")
        case .uyvy422: Self.fourCC("UYVY")
        }
    }

    private static func fourCC(_ letters: String) -> UInt32 {
        letters.utf8.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Bytes of one frame.
    func bytes(of size: FrameSize) -> Int {
        let pixels = size.width * size.height
        let halves = ((size.width + 1) / 2) * ((size.height + 1) / 2)
        return switch self {
        case .bgra, .rgba, .argb, .abgr, .bgr0, .rgb0: pixels * 4
        case .bgr24, .rgb24: pixels * 3
        case .yuyv422, .uyvy422: (size.width + 1) / 2 * 4 * size.height
        case .nv12, .yuv420p: pixels + 2 * halves
        }
    }
}
