package import BoxConfiguration
package import FFmpeg
package import MediaTypes

/// What an encoder has to do for a group: the settings, and the pictures that arrive. Groups that ask for the same
/// share one.
package struct EncodingJob: Sendable, Hashable {
    package var settings: VideoSettings
    /// Of the pictures that arrive.
    package var arriving: FrameSize
    /// Pictures a second that arrive.
    package var rate: FrameRate

    /// - Parameters:
    ///   - arriving: `nil` while nothing is known of the source; what the group wants is then taken for it.
    ///   - rate: Likewise.
    ///   - size: What the group keeps to where it names no size of its own.
    ///   - pixel: Of the pictures that arrive.
    package init(
        _ wish: VideoEncoding, arriving: FrameSize? = nil, rate: FrameRate? = nil, size: FrameSize? = nil,
        pixel: PixelAspect = .square
    ) {
        self.arriving = arriving ?? wish.size ?? FrameSize(width: 1280, height: 720)
        self.rate = rate ?? wish.rate ?? FrameRate(30)
        // An encoder is always told a size, for the source may change its own.
        settings = VideoSettings(
            wish, size: size ?? self.arriving, arriving: self.rate,
            frames: ArrivingFrames(size: self.arriving, pixel: pixel))
    }

    /// Pixels a second that come out.
    package var pixelRate: Double {
        let size = settings.size ?? arriving
        let rate = settings.rate ?? rate
        return Double(size.width * size.height) * Double(rate.numerator) / Double(rate.denominator)
    }

    /// The pictures that arrive have another size than those that go out, and the same shape: a GPU can scale them.
    package var scales: Bool { settings.fit == .stretch && settings.size.map { $0 != arriving } ?? false }
}

extension VideoSettings {
    /// - Parameters:
    ///   - size: The size to encode where the group names none; `nil` keeps that of the source.
    ///   - arriving: Pictures a second that arrive, or that are made of their fields, where that is known.
    ///   - frames: What arrives, where that is known.
    package init(_ wish: VideoEncoding, size: FrameSize?, arriving: FrameRate?, frames: ArrivingFrames? = nil) {
        let size = wish.size ?? size
        self.init(
            size: size, rate: Self.conversion(from: arriving, to: wish.rate),
            bitrate: wish.bitrate.bitsPerSecond, keyframe: wish.keyframe, profile: wish.profile,
            fit: Self.fit(wish.fit, to: size, frames),
            deinterlacing: frames?.isInterlaced == true ? wish.deinterlace.settings : nil,
            deinterlacesAll: frames.map { $0.isInterlaced && !$0.areMarked } ?? false)
    }

    /// Frames of the right shape need nothing but scaling.
    private static func fit(_ wish: PictureFit, to size: FrameSize?, _ frames: ArrivingFrames?) -> Fit {
        guard let size, let frames, !frames.hasShape(of: size) else { return .stretch }
        return switch wish {
        case .pad: .pad
        case .crop: .crop(frames.part(withShapeOf: size))
        case .stretch: .stretch
        }
    }

    /// A conversion only where the rates differ: on the same rate it would move each picture to the filter's grid,
    /// and double or drop those of a source whose times are rounded to milliseconds.
    private static func conversion(from arriving: FrameRate?, to wanted: FrameRate?) -> FrameRate? {
        guard let wanted else { return arriving.flatMap { bounded($0) } }
        guard let arriving else { return wanted }
        let ratio =
            Double(wanted.numerator) * Double(arriving.denominator)
            / (Double(wanted.denominator) * Double(arriving.numerator))
        return abs(ratio - 1) < 0.005 ? nil : wanted
    }

    /// Frames a second of a group that names no rate, at the most: platforms take no more. A tenth above counts as 60,
    /// since a measured rate is not exact.
    private static let fastestUnasked = 66

    /// What becomes of a rate that is too fast: every second frame, or every third, so that they stay evenly spaced.
    ///
    /// - Returns: `nil` for one that is not.
    private static func bounded(_ arriving: FrameRate) -> FrameRate? {
        let most = fastestUnasked * arriving.denominator
        let parts = (arriving.numerator + most - 1) / most
        guard parts > 1 else { return nil }
        return FrameRate(arriving.numerator, arriving.denominator * parts)
    }
}

extension Deinterlacing {
    /// `nil` for none.
    package var settings: VideoSettings.Deinterlacing? {
        switch self {
        case .auto: .frames
        case .field: .fields
        case .off: nil
        }
    }
}
