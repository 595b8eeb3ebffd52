/// A channel: who is on air, and what goes out.
package struct ChannelSnapshot: Sendable, Hashable, Codable {
    package var name: String
    package var sources: [SourceSnapshot]
    /// How often each source took the air, by its id.
    package var switches: [String: Int]
    /// Bytes that went into the channel's feed.
    package var feedBytes: Int
    package var groups: [GroupSnapshot]
    /// Where the channel can be watched on this box.
    package var tap: String?

    package init(
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
package struct SourceSnapshot: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
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
    package var id: String
    package var state: State
    package var isOnAir: Bool
    /// What it sends: `1920x1080 30 fps h264`.
    package var format: String?
    package var starts: Int
    /// Why it is absent or failed; `nil` when it is neither.
    package var trouble: String?
    /// Its last ends, oldest first.
    package var history: [EndSnapshot]
    /// How many publishers were turned away, by reason; `nil` for a source that nobody publishes to.
    package var refusals: [String: Int]?
    /// What encodes its frames, `h264_vaapi@0000:00:02.0`; `nil` for a source that sends pictures.
    package var encoder: String?
    /// Packets that SRT gave up because they came too late or not at all; `nil` for a source that is not SRT.
    package var droppedPackets: Int?
    /// What is taken of what it sends, how that is treated, and why nothing comes of it; `nil` for nothing to tell.
    package var notes: [String]?
    /// What FFmpeg refuses of the slate's command line; `nil` for any other source, and while it refuses nothing.
    package var refused: String?

    package init(
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
package struct EndSnapshot: Sendable, Hashable, Codable {
    /// Seconds since 1970.
    package var started: Double
    package var ended: Double
    /// `exited 1`, `signal 9`.
    package var status: String
    /// `nil` when it was asked to end.
    package var cause: String?
    /// What it said last, secrets masked.
    package var lastLines: [String]
    /// What FFmpeg refused of its command line; `nil` where that is not why it ended.
    package var refused: String?

    package init(
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
