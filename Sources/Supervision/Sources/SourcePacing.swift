import BoxConfiguration
import Logging

/// How a source that is faster than real time is treated.
enum SourcePacing {
    /// The service reads it more slowly, and gets the rest later.
    case read
    /// Its sender has to send more slowly.
    case sent

    var note: String {
        switch self {
        case .read:
            "it arrives faster than real time, as a file or a playlist does: it is read in real time,"
                + " and nothing has to be done"
        case .sent:
            "it sends faster than real time and is held back, and frames that it cannot keep are lost: have it send in"
                + " real time (ffmpeg: -re before -i)"
        }
    }

    var level: Logger.Level {
        switch self {
        case .read: .notice
        case .sent: .warning
        }
    }
}

extension SourceKind {
    /// Whether it may be a file, which ends and starts over.
    var comesToAnEnd: Bool {
        switch self {
        case .pull(let pull): pull.url.lowercased().hasPrefix("http")
        case .file: true
        case .rtmp, .srt, .capture, .raw, .test: false
        }
    }

    var pacing: SourcePacing {
        switch self {
        case .pull(let pull): pull.url.lowercased().hasPrefix("http") ? .read : .sent
        case .file, .test: .read
        case .rtmp, .srt, .capture, .raw: .sent
        }
    }
}
