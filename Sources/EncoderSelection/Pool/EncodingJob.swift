package import BoxConfiguration
package import FFmpeg
package import MediaTypes

/// The work of an encoder: the settings of a group, and its input. Groups with equal settings and input have equal
/// jobs, so one trial is enough for all of them.
package struct EncodingJob: Sendable, Hashable {
    package var settings: VideoSettings
    /// The size of the input frames.
    package var arriving: FrameSize
    /// Frames per second of the input.
    package var rate: FrameRate

    /// - Parameters:
    ///   - arriving: The size of the input frames. If it is `nil`, because it is unknown, the size of the settings is
    ///     used.
    ///   - rate: Frames per second of the input. If it is `nil`, because it is unknown, the rate of the settings is
    ///     used.
    ///   - size: The size to encode if the settings have none.
    ///   - pixel: The pixel aspect of the input frames.
    package init(
        _ encoding: VideoEncoding, arriving: FrameSize? = nil, rate: FrameRate? = nil, size: FrameSize? = nil,
        pixel: PixelAspect = .square
    ) {
        self.arriving = arriving ?? encoding.size ?? FrameSize(width: 1280, height: 720)
        self.rate = rate ?? encoding.frameRate ?? FrameRate(30)
        // An encoder always gets a size, because the source may change its own.
        settings = VideoSettings(
            encoding, size: size ?? self.arriving, arriving: self.rate,
            frames: ArrivingFrames(size: self.arriving, pixel: pixel))
    }

    /// Pixels per second of the output.
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
    ///   - size: The size to encode if the settings have none. `nil` keeps that of the source.
    ///   - arriving: Frames per second of the input, or fields per second if fields become frames. `nil` if unknown.
    ///   - frames: The input frames, if known.
    package init(_ encoding: VideoEncoding, size: FrameSize?, arriving: FrameRate?, frames: ArrivingFrames? = nil) {
        let size = encoding.size ?? size
        self.init(
            size: size, frameRate: Self.conversion(from: arriving, to: encoding.frameRate),
            bitrate: encoding.bitrate.bitsPerSecond, keyframeInterval: encoding.keyframeInterval,
            profile: encoding.profile,
            fit: Self.fit(encoding.fit, to: size, frames),
            deinterlacing: frames?.isInterlaced == true ? encoding.deinterlace.settings : nil,
            deinterlacesAll: frames.map { $0.isInterlaced && !$0.areMarked } ?? false)
    }

    /// Returns how the frames are fitted. Frames with the right aspect ratio only need scaling.
    private static func fit(_ configured: PictureFit, to size: FrameSize?, _ frames: ArrivingFrames?) -> Fit {
        guard let size, let frames, !frames.hasShape(of: size) else { return .stretch }
        return switch configured {
        case .pad: .pad
        case .crop: .crop(frames.part(withShapeOf: size))
        case .stretch: .stretch
        }
    }

    /// Returns the rate to convert to. `nil` if the rates are equal: the filter would then still move each frame to its
    /// grid, and repeat or drop frames of a source whose timestamps are rounded to milliseconds.
    private static func conversion(from arriving: FrameRate?, to wanted: FrameRate?) -> FrameRate? {
        guard let wanted else { return arriving.flatMap { bounded($0) } }
        guard let arriving else { return wanted }
        let ratio =
            Double(wanted.numerator) * Double(arriving.denominator)
            / (Double(wanted.denominator) * Double(arriving.numerator))
        return abs(ratio - 1) < 0.005 ? nil : wanted
    }

    /// The most frames per second for a group whose settings have no rate, because platforms accept no more than 60. A
    /// rate of up to a tenth above 60 counts as 60, because a measured rate is not exact.
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
    /// How the encoder deinterlaces. `nil` for not at all.
    package var settings: VideoSettings.Deinterlacing? {
        switch self {
        case .auto: .onePerFrame
        case .field: .onePerField
        case .off: nil
        }
    }
}
