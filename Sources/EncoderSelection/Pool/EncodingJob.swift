package import BoxConfiguration
package import FFmpeg
package import MediaTypes

/// The work of an encoder for a group: the settings and the input. Groups with equal work share one job.
package struct EncodingJob: Sendable, Hashable {
    package var settings: VideoSettings
    /// The size of the input frames.
    package var arriving: FrameSize
    /// Frames a second of the input.
    package var rate: FrameRate

    /// - Parameters:
    ///   - arriving: The size of the input frames. `nil` if unknown. The size that the group wants is used then.
    ///   - rate: Frames a second of the input. `nil` if unknown. The rate that the group wants is used then.
    ///   - size: The size to encode if the group names none.
    ///   - pixel: The pixel aspect of the input frames.
    package init(
        _ wish: VideoEncoding, arriving: FrameSize? = nil, rate: FrameRate? = nil, size: FrameSize? = nil,
        pixel: PixelAspect = .square
    ) {
        self.arriving = arriving ?? wish.size ?? FrameSize(width: 1280, height: 720)
        self.rate = rate ?? wish.frameRate ?? FrameRate(30)
        // An encoder always gets a size, because the source may change its own.
        settings = VideoSettings(
            wish, size: size ?? self.arriving, arriving: self.rate,
            frames: ArrivingFrames(size: self.arriving, pixel: pixel))
    }

    /// Pixels a second of the output.
    package var pixelRate: Double {
        let size = settings.size ?? arriving
        let rate = settings.frameRate ?? rate
        return Double(size.width * size.height) * Double(rate.numerator) / Double(rate.denominator)
    }

    /// Whether the input has another size than the output and the same aspect ratio, so that a GPU can scale it.
    package var scales: Bool { settings.fit == .stretch && settings.size.map { $0 != arriving } ?? false }
}

extension VideoSettings {
    /// - Parameters:
    ///   - size: The size to encode if the group names none. `nil` keeps that of the source.
    ///   - arriving: Frames a second of the input, or of its fields if those become frames. `nil` if unknown.
    ///   - frames: The input frames, if known.
    package init(_ wish: VideoEncoding, size: FrameSize?, arriving: FrameRate?, frames: ArrivingFrames? = nil) {
        let size = wish.size ?? size
        self.init(
            size: size, frameRate: Self.conversion(from: arriving, to: wish.frameRate),
            bitrate: wish.bitrate.bitsPerSecond, keyframeInterval: wish.keyframeInterval, profile: wish.profile,
            fit: Self.fit(wish.fit, to: size, frames),
            deinterlacing: frames?.isInterlaced == true ? wish.deinterlace.settings : nil,
            deinterlacesAll: frames.map { $0.isInterlaced && !$0.areMarked } ?? false)
    }

    /// Frames with the right aspect ratio only need scaling.
    private static func fit(_ wish: PictureFit, to size: FrameSize?, _ frames: ArrivingFrames?) -> Fit {
        guard let size, let frames, !frames.hasShape(of: size) else { return .stretch }
        return switch wish {
        case .pad: .pad
        case .crop: .crop(frames.part(withShapeOf: size))
        case .stretch: .stretch
        }
    }

    /// Converts only if the rates differ. At equal rates the filter would move each frame to its grid, and double or
    /// drop frames of a source whose timestamps are rounded to milliseconds.
    private static func conversion(from arriving: FrameRate?, to wanted: FrameRate?) -> FrameRate? {
        guard let wanted else { return arriving.flatMap { bounded($0) } }
        guard let arriving else { return wanted }
        let ratio =
            Double(wanted.numerator) * Double(arriving.denominator)
            / (Double(wanted.denominator) * Double(arriving.numerator))
        return abs(ratio - 1) < 0.005 ? nil : wanted
    }

    /// The most frames a second of a group that names no rate: platforms accept no more. A tenth above 60 counts as 60,
    /// because a measured rate is not exact.
    private static let fastestUnasked = 66

    /// Reduces a rate that is too fast to every second frame, or every third, so that frames stay evenly spaced.
    ///
    /// - Returns: `nil` if the rate is not too fast.
    private static func bounded(_ arriving: FrameRate) -> FrameRate? {
        let most = fastestUnasked * arriving.denominator
        let parts = (arriving.numerator + most - 1) / most
        guard parts > 1 else { return nil }
        return FrameRate(arriving.numerator, arriving.denominator * parts)
    }
}

extension DeinterlaceMode {
    /// `nil` for none.
    package var settings: VideoSettings.Deinterlacing? {
        switch self {
        case .auto: .frames
        case .field: .fields
        case .off: nil
        }
    }
}
