package import MediaTypes

/// The video that a group needs.
package struct VideoSettings: Sendable, Hashable {
    /// The size of the output frames, which then have square pixels. `nil` keeps the size and the pixel aspect of the
    /// input frames.
    package var size: FrameSize?
    /// The rate to which the encoder converts. Frames are then repeated or dropped at fixed times of the stream, so
    /// that two encoders that start at different frames keep the same ones. `nil` keeps every frame and its timestamp.
    package var frameRate: FrameRate?
    /// The average and the maximum bitrate, in bits per second.
    package var bitrate: Int
    /// The time between two keyframes.
    package var keyframeInterval: Duration
    /// The profile by the encoder's name for it: `baseline`, `main`, `high`. `nil` leaves it to the encoder.
    package var profile: String?
    /// How frames with another aspect ratio are fitted to ``size``.
    package var fit: Fit
    /// How interlaced frames are deinterlaced. `nil` leaves them as they are.
    package var deinterlacing: Deinterlacing?
    /// Whether every frame is deinterlaced. Otherwise only frames are that the stream marks as interlaced.
    package var deinterlacesAll: Bool

    package enum Fit: Sendable, Hashable {
        /// Stretches every frame to the size. This is right for frames with the same aspect ratio.
        case stretch
        /// Shows frames whole, with black bars. Follows a source whose frame size changes.
        case pad
        /// Cuts a part of this size, in pixels of the input, from the middle of each frame, and scales it.
        case crop(FrameSize)
    }

    package enum Deinterlacing: Sendable, Hashable {
        /// Makes one frame of the two fields of each frame.
        case onePerFrame
        /// Makes one frame of each field, which doubles the frame rate.
        case onePerField

        /// Returns the filters for frames that may be interlaced. They run in software, because frames are in main
        /// memory until they are uploaded to a GPU.
        ///
        /// - Parameters:
        ///   - filter: The name of the filter, see ``FFmpegCapabilities/deinterlacer``. `nil` if FFmpeg has none:
        ///     frames then stay interlaced.
        ///   - all: Whether frames that are not marked as interlaced are deinterlaced too, with the top field first.
        func filters(_ filter: String?, all: Bool = false) -> [String] {
            guard let filter else { return [] }
            return ["\(filter)=mode=\(mode):deint=\(all ? "all" : "interlaced")", "settb=1/90000"]
        }

        /// Returns the filters for frames that are all interlaced and not marked as such.
        ///
        /// - Parameters:
        ///   - filter: The name of the filter, as above.
        ///   - ticks: Ticks per second of the frames' timestamps.
        func filters(_ filter: String?, bottomFieldFirst: Bool, ticks: Int) -> [String] {
            guard let filter else { return [] }
            return ["\(filter)=mode=\(mode):parity=\(bottomFieldFirst ? "bff" : "tff"):deint=all", "settb=1/\(ticks)"]
        }

        private var mode: String { self == .onePerField ? "send_field" : "send_frame" }
    }

    package init(
        size: FrameSize? = nil, frameRate: FrameRate? = nil, bitrate: Int, keyframeInterval: Duration = .seconds(2),
        profile: String? = nil, fit: Fit = .stretch, deinterlacing: Deinterlacing? = nil, deinterlacesAll: Bool = false
    ) {
        self.size = size
        self.frameRate = frameRate
        self.bitrate = bitrate
        self.keyframeInterval = keyframeInterval
        self.profile = profile
        self.fit = fit
        self.deinterlacing = deinterlacing
        self.deinterlacesAll = deinterlacesAll
    }
}
