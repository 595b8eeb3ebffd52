package import MediaTypes

/// The video that a group wants.
package struct VideoSettings: Sendable, Hashable {
    /// `nil` keeps the source's size. The pixels become square.
    package var size: FrameSize?
    /// Set only when the rate has to be converted: frames are then doubled or dropped on a grid that does not depend
    /// on where the encoder started. `nil` keeps every frame and its time.
    package var rate: FrameRate?
    /// Bits/s, also the maximum.
    package var bitrate: Int
    /// Time between keyframes.
    package var keyframe: Duration
    /// As the encoder names it: `baseline`, `main`, `high`.
    package var profile: String?
    /// How frames of another shape are brought to ``size``.
    package var fit: Fit
    /// What is done with interlaced frames; `nil` leaves them as they are.
    package var deinterlacing: Deinterlacing?
    /// Frames that are not marked as interlaced are deinterlaced like all others.
    package var deinterlacesAll: Bool

    package enum Fit: Sendable, Hashable {
        /// Frames of every shape fill the size, which is right for those of its own shape.
        case stretch
        /// Frames are shown whole, with black bars. Follows a source whose size changes.
        case pad
        /// This part of each frame, in the middle, is shown.
        case crop(FrameSize)
    }

    package enum Deinterlacing: Sendable, Hashable {
        /// A frame of each frame.
        case frames
        /// A frame of each field.
        case fields

        /// By software: frames arrive in memory, before any GPU.
        ///
        /// - Parameters:
        ///   - filter: ``FFmpegCapabilities/deinterlacer``; `nil` leaves them as they are.
        ///   - all: Frames that are not marked as interlaced do not pass, and count as top field first.
        func filters(_ filter: String?, all: Bool = false) -> [String] {
            guard let filter else { return [] }
            return ["\(filter)=mode=\(mode):deint=\(all ? "all" : "interlaced")", "settb=1/90000"]
        }

        /// The same for frames that are all interlaced, and have no marks.
        ///
        /// - Parameter ticks: In which their times are told, a second.
        func filters(_ filter: String?, bottomFieldFirst: Bool, ticks: Int) -> [String] {
            guard let filter else { return [] }
            return ["\(filter)=mode=\(mode):parity=\(bottomFieldFirst ? "bff" : "tff"):deint=all", "settb=1/\(ticks)"]
        }

        private var mode: String { self == .fields ? "send_field" : "send_frame" }
    }

    package init(
        size: FrameSize? = nil, rate: FrameRate? = nil, bitrate: Int, keyframe: Duration = .seconds(2),
        profile: String? = nil, fit: Fit = .stretch, deinterlacing: Deinterlacing? = nil, deinterlacesAll: Bool = false
    ) {
        self.size = size
        self.rate = rate
        self.bitrate = bitrate
        self.keyframe = keyframe
        self.profile = profile
        self.fit = fit
        self.deinterlacing = deinterlacing
        self.deinterlacesAll = deinterlacesAll
    }
}
