import RTMPIngest
import Synchronization

/// Limits how often events that a sender can cause repeatedly are logged.
final class SourceReports: Sendable {
    enum Kind: Hashable {
        /// The format changed.
        case change
        /// Audio arrived that a feed does not carry.
        case foreignAudio
        /// Audio arrived in another format than the channel's.
        case mismatchedAudio
        /// Audio arrived whose times are too far from those of the video.
        case lateAudio
    }

    private struct State {
        var limits: [Kind: ReportLimit] = [:]
        var hasReportedPace = false
    }

    private let state = Mutex(State())

    /// Counts a report.
    ///
    /// - Returns: How many reports before it were left out. `nil` when this one is to be left out too.
    func note(_ kind: Kind) -> Int? { state.withLock { $0.limits[kind, default: ReportLimit()].note() } }

    /// The source is faster than real time.
    ///
    /// - Returns: Whether this is the first time: a file that is fetched repeatedly is reported once.
    func notePace() -> Bool {
        state.withLock { state in
            defer { state.hasReportedPace = true }
            return !state.hasReportedPace
        }
    }
}
