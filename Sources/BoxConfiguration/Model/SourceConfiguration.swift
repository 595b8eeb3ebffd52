/// One source of a channel.
package struct SourceConfiguration: Sendable, Equatable {
    package var kind: SourceKind
    /// The index in the channel's list of sources, from 0; a smaller number has priority.
    package var position: Int
    /// The line and column of the source in the configuration file. Equality ignores it.
    @EqualityIgnored package var location: FileLocation

    /// Kind and position, as metrics and status name the source: `rtmp-0`.
    package var id: String { "\(kind.name)-\(position)" }

    package init(kind: SourceKind, position: Int, location: FileLocation = .none) {
        self.kind = kind
        self.position = position
        self.location = location
    }
}

/// The kind of a source, with its settings.
package enum SourceKind: Sendable, Equatable {
    case rtmp(RTMPSource)
    case srt(SRTSource)
    case pull(PullSource)
    case capture(CaptureSource)
    case raw(RawSource)
    case file(FileSource)
    case test(TestSource)

    /// The YAML key that selects this kind in the configuration file.
    package var name: String {
        switch self {
        case .rtmp: "rtmp"
        case .srt: "srt"
        case .pull: "pull"
        case .capture: "capture"
        case .raw: "raw"
        case .file: "file"
        case .test: "test"
        }
    }

    static let names = ["rtmp", "srt", "pull", "capture", "raw", "file", "test"]
}
