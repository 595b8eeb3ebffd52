/// A channel: who is on air, and what goes out.
public struct ChannelSnapshot: Sendable, Hashable, Codable {
    public var name: String
    public var sources: [SourceSnapshot]
    /// How often each source took the air, by its id.
    public var switches: [String: Int]
    /// Bytes that went into the channel's feed.
    public var feedBytes: Int
    public var groups: [GroupSnapshot]
    /// Where the channel can be watched on this box.
    public var tap: String?

    public init(
        name: String, sources: [SourceSnapshot] = [], switches: [String: Int] = [:], feedBytes: Int = 0,
        groups: [GroupSnapshot] = [],
        tap: String? = nil
    ) {
        self.name = name
        self.sources = sources
        self.switches = switches
        self.feedBytes = feedBytes
        self.groups = groups
        self.tap = tap
    }
}

/// One source of a channel; the slate is one too.
public struct SourceSnapshot: Sendable, Hashable, Codable {
    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// The device is not there.
        case absent
        /// It is ready, and nobody sends.
        case waiting
        /// It is being reached.
        case connecting
        case live
        /// It delivered, and delivers no more.
        case stalled
        /// It cannot run as configured.
        case failed
    }

    /// Its kind and position: `rtmp-0`.
    public var id: String
    public var state: State
    public var isOnAir: Bool
    /// What it sends: `1920x1080 30 fps h264`.
    public var format: String?
    public var starts: Int
    /// Why it is absent or failed; `nil` when it is neither.
    public var trouble: String?
    /// Its last ends, oldest first.
    public var history: [EndSnapshot]
    /// How many publishers were turned away, by reason; `nil` for a source that nobody publishes to.
    public var refusals: [String: Int]?
    /// What encodes its frames, `h264_vaapi@0000:00:02.0`; `nil` for a source that sends pictures.
    public var encoder: String?
    /// Packets that SRT gave up because they came too late or not at all; `nil` for a source that is not SRT.
    public var droppedPackets: Int?
    /// What is taken of what it sends, how that is treated, and why nothing comes of it; `nil` for nothing to tell.
    public var notes: [String]?
    /// What FFmpeg refuses of the slate's command line; `nil` for any other source, and while it refuses nothing.
    public var refused: String?

    public init(
        id: String, state: State, isOnAir: Bool = false, format: String? = nil, starts: Int = 0, trouble: String? = nil,
        history: [EndSnapshot] = [], refusals: [String: Int]? = nil, encoder: String? = nil, droppedPackets: Int? = nil,
        notes: [String]? = nil, refused: String? = nil
    ) {
        self.id = id
        self.state = state
        self.refusals = refusals
        self.encoder = encoder
        self.droppedPackets = droppedPackets
        self.notes = notes
        self.refused = refused
        self.isOnAir = isOnAir
        self.format = format
        self.starts = starts
        self.trouble = trouble
        self.history = history
    }
}

/// The end of a process.
public struct EndSnapshot: Sendable, Hashable, Codable {
    /// Seconds since 1970.
    public var started: Double
    public var ended: Double
    /// `exited 1`, `signal 9`.
    public var status: String
    /// `nil` when it was asked to end.
    public var cause: String?
    /// What it said last, secrets masked.
    public var lastLines: [String]
    /// What FFmpeg refused of its command line; `nil` where that is not why it ended.
    public var refused: String?

    public init(
        started: Double, ended: Double, status: String, cause: String? = nil, lastLines: [String] = [],
        refused: String? = nil
    ) {
        self.started = started
        self.ended = ended
        self.status = status
        self.cause = cause
        self.lastLines = lastLines
        self.refused = refused
    }
}
