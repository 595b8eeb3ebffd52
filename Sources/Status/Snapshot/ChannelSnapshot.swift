/// A channel with its sources and groups.
package struct ChannelSnapshot: Sendable, Hashable, Codable {
    package var name: String
    package var sources: [SourceSnapshot]
    /// How often each source went on air, by its id.
    package var switches: [String: Int]
    /// Bytes that were written to the channel's feed.
    package var feedBytes: Int
    package var groups: [GroupSnapshot]
    /// The address of the tap on this box.
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

/// One source of a channel, or the slate.
package struct SourceSnapshot: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// The device is missing.
        case absent
        /// It listens, and no publisher or caller is connected.
        case waiting
        /// The service connects to it.
        case connecting
        case live
        /// It delivered before, and does not deliver now.
        case stalled
        /// It cannot run as configured.
        case failed
    }

    /// Its kind and position: `rtmp-0`.
    package var id: String
    package var state: State
    package var isOnAir: Bool
    /// The format of its stream: `1920x1080 30 fps h264`.
    package var format: String?
    package var starts: Int
    /// Why the source is absent or failed; `nil` in other states.
    package var trouble: String?
    /// The last ends of its processes, oldest first.
    package var history: [EndSnapshot]
    /// How many publishers were rejected, by reason; `nil` for a source that does not listen.
    package var refusals: [String: Int]?
    /// The encoder of its frames, such as `h264_vaapi@0000:00:02.0`; `nil` for a source that is encoded already.
    package var encoder: String?
    /// Packets that SRT dropped because they arrived too late or not at all; `nil` for a source that is not SRT.
    package var droppedPackets: Int?
    /// Which parts of its stream the service uses and how, or why it can use none; `nil` without a note.
    package var notes: [String]?
    /// The part of the slate's command line that FFmpeg refuses; `nil` for any other source, or if it refuses nothing.
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
    /// `nil` if the service ended it and nothing was wrong.
    package var cause: String?
    /// Its last message, with masked secrets.
    package var lastLines: [String]
    /// The part of its command line that FFmpeg refused; `nil` if the process ended for another reason.
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
