/// One output group with its encoder and targets.
public struct GroupSnapshot: Sendable, Hashable, Codable {
    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case starting
        case live
        /// It is on air with less than was asked for.
        case degraded
        case stalled
        case stopped
    }

    public var name: String
    public var state: State
    public var isWanted: Bool
    /// FFmpeg's name of the encoder in use, or `copy`.
    public var encoder: String
    /// The GPU's slot; `nil` for software.
    public var gpu: String?
    /// Why it is this encoder.
    public var why: String
    /// It is another one than wanted because FFmpeg refuses an option of that; `nil` where that is not so.
    public var ffmpegRefuses: Bool?
    /// The preset of a software encoder, where a faster one than usual is in use because that was too slow.
    public var loweredPreset: String?
    /// Pictures that went into the group's feed.
    public var frames: Int
    /// Pictures that the channel had and the group has not.
    public var lostFrames: Int
    /// How often the encoder fell behind the channel's feed and was given the newest keyframe.
    public var encoderSkips: Int
    /// Pictures that the encoders left out, by their own word.
    public var droppedFrames: Int
    public var feedBytes: Int
    /// Pictures a second over the last seconds.
    public var fps: Double
    /// Seconds of stream a second.
    public var speed: Double
    /// Of picture and sound, over the last ten seconds.
    public var bitsPerSecond: Double
    /// Seconds since it went live; 0 while it is not.
    public var uptime: Double
    public var exits: [EncoderExits]
    /// By cause.
    public var handovers: [String: Int]
    /// Seconds from the last picture of one encoder to the first of the next.
    public var handoverSeconds: HistogramSnapshot
    /// The encoder's last ends, oldest first.
    public var history: [EndSnapshot]
    public var targets: [TargetSnapshot]
    public var tap: String?

    public init(
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

/// How often an encoder ended by itself for one reason.
public struct EncoderExits: Sendable, Hashable, Codable {
    public var encoder: String
    public var cause: String
    public var count: Int

    public init(encoder: String, cause: String, count: Int) {
        self.encoder = encoder
        self.cause = cause
        self.count = count
    }
}

/// Counts of values by upper bounds.
public struct HistogramSnapshot: Sendable, Hashable, Codable {
    /// Rising.
    public var bounds: [Double]
    /// Values at or below each bound and above the one before; one more for those above the last.
    public var counts: [Int]
    public var sum: Double

    public init(bounds: [Double] = [], counts: [Int] = [0], sum: Double = 0) {
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    public var count: Int { counts.reduce(0, +) }
}
