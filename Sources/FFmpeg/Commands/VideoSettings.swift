package import MediaTypes

/// The video that a group needs.
package struct VideoSettings: Sendable, Hashable {
    /// `nil` keeps the source's size. The pixels become square.
    package var size: FrameSize?
    /// Set only if the rate has to be converted: frames are then doubled or dropped on a grid that does not depend on
    /// where the encoder started. `nil` keeps every frame and its timestamp.
    package var frameRate: FrameRate?
    /// Bits/s, also the maximum.
    package var bitrate: Int
    package var keyframeInterval: Duration
    /// As the encoder names it: `baseline`, `main`, `high`.
    package var profile: String?
    /// How frames with another aspect ratio are fitted to ``size``.
    package var fit: Fit
    /// How interlaced frames are deinterlaced. `nil` leaves them as they are.
    package var deinterlacing: Deinterlacing?
    /// Whether frames that are not marked as interlaced are deinterlaced like all others.
    package var deinterlacesAll: Bool

    package enum Fit: Sendable, Hashable {
        /// Stretches every frame to the size. This is right for frames with the same aspect ratio.
        case stretch
        /// Shows frames whole, with black bars. Follows a source whose frame size changes.
        case pad
        /// Shows this part of each frame, from its middle.
        case crop(FrameSize)
    }

    package enum Deinterlacing: Sendable, Hashable {
        /// One frame for each frame.
        case frames
        /// One frame for each field.
        case fields

        /// Software filters: frames arrive in memory, before any GPU.
        ///
        /// - Parameters:
        ///   - filter: ``FFmpegCapabilities/deinterlacer``; `nil` leaves them as they are.
        ///   - all: Whether frames that are not marked as interlaced are deinterlaced too, with the top field first.
        func filters(_ filter: String?, all: Bool = false) -> [String] {
            guard let filter else { return [] }
            return ["\(filter)=mode=\(mode):deint=\(all ? "all" : "interlaced")", "settb=1/90000"]
        }

        /// The same for frames that are all interlaced and are not marked as interlaced.
        ///
        /// - Parameter ticks: Ticks a second of their timestamps.
        func filters(_ filter: String?, bottomFieldFirst: Bool, ticks: Int) -> [String] {
            guard let filter else { return [] }
            return ["\(filter)=mode=\(mode):parity=\(bottomFieldFirst ? "bff" : "tff"):deint=all", "settb=1/\(ticks)"]
        }

        private var mode: String { self == .fields ? "send_field" : "send_frame" }
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
