/// One output group with its encoder and targets.
package struct GroupSnapshot: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case starting
        case live
        /// It is on air with less than its configuration asks for.
        case degraded
        case stalled
        case stopped
    }

    package var name: String
    package var state: State
    package var isWanted: Bool
    /// FFmpeg's name of the encoder in use, or `copy`.
    package var encoder: String
    /// The GPU's slot; `nil` for software.
    package var gpu: String?
    /// Why this encoder is in use.
    package var why: String
    /// True if the wanted encoder is not in use because FFmpeg refuses an option of it; `nil` otherwise.
    package var ffmpegRefuses: Bool?
    /// The preset of a software encoder, if it was lowered because the usual one was too slow.
    package var loweredPreset: String?
    /// Frames that were written to the group's feed.
    package var frames: Int
    /// Frames that the channel had and the group does not have.
    package var lostFrames: Int
    /// How often the encoder fell behind the channel's feed and jumped to the newest keyframe.
    package var encoderSkips: Int
    /// Frames that the encoders reported as dropped.
    package var droppedFrames: Int
    package var feedBytes: Int
    /// Frames per second, over the last seconds.
    package var fps: Double
    /// Seconds of stream per second.
    package var speed: Double
    /// Bits per second of video and audio, over the last ten seconds.
    package var bitsPerSecond: Double
    /// Seconds since the group went live; 0 while it is not live.
    package var uptime: Double
    package var exits: [EncoderExits]
    /// The number of handovers, by cause.
    package var handovers: [String: Int]
    /// Seconds from the last frame of one encoder to the first frame of the next.
    package var handoverSeconds: HistogramSnapshot
    /// The last ends of the encoder, oldest first.
    package var history: [EndSnapshot]
    package var targets: [TargetSnapshot]
    package var tap: String?

    package init(
        name: String, state: State, isWanted: Bool = true, encoder: String, gpu: String? = nil, why: String = "",
        ffmpegRefuses: Bool? = nil, loweredPreset: String? = nil, frames: Int = 0,
        lostFrames: Int = 0, encoderSkips: Int = 0, droppedFrames: Int = 0, feedBytes: Int = 0, fps: Double = 0,
        speed: Double = 0,
        bitsPerSecond: Double = 0, uptime: Double = 0, exits: [EncoderExits] = [], handovers: [String: Int] = [:],
        handoverSeconds: HistogramSnapshot = HistogramSnapshot(), history: [EndSnapshot] = [],
        targets: [TargetSnapshot] = [],
        tap: String? = nil
    ) {
        self.name = name
        self.state = state
        self.isWanted = isWanted
        self.encoder = encoder
        self.gpu = gpu
        self.why = why
        self.ffmpegRefuses = ffmpegRefuses
        self.loweredPreset = loweredPreset
        self.frames = frames
        self.lostFrames = lostFrames
        self.encoderSkips = encoderSkips
        self.droppedFrames = droppedFrames
        self.feedBytes = feedBytes
        self.fps = fps
        self.speed = speed
        self.bitsPerSecond = bitsPerSecond
        self.uptime = uptime
        self.exits = exits
        self.handovers = handovers
        self.handoverSeconds = handoverSeconds
        self.history = history
        self.targets = targets
        self.tap = tap
    }
}

/// How often an encoder ended by itself for one cause.
package struct EncoderExits: Sendable, Hashable, Codable {
    package var encoder: String
    package var cause: String
    package var count: Int

    package init(encoder: String, cause: String, count: Int) {
        self.encoder = encoder
        self.cause = cause
        self.count = count
    }
}

/// The numbers of values by upper bounds.
package struct HistogramSnapshot: Sendable, Hashable, Codable {
    /// The upper bounds, in ascending order.
    package var bounds: [Double]
    /// The number of values at or below each bound and above the previous one, and last the number above all bounds.
    package var counts: [Int]
    package var sum: Double

    package init(bounds: [Double] = [], counts: [Int] = [0], sum: Double = 0) {
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    package var count: Int { counts.reduce(0, +) }
}
