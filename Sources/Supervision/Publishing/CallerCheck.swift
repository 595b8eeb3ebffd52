import Configuration
import FFmpeg
import Ingest
import Logging
import RTMP
import Synchronization

/// Whether the caller of an SRT source may go on air. Where the source asks for a stream id, nothing that its relay gives is taken
/// until the right one was named.
final class CallerCheck: Sendable {
    enum Verdict {
        case right, wrong
    }

    private struct State {
        /// Of the caller of the relay in use; `nil` until it has said who it is.
        var verdict: Verdict?
        var refusals: [Reason: Int] = [:]
        var reports = ReportLimit()
        var failures = 0
        var lastFailure = ContinuousClock.now
    }

    private enum Reason: String, CaseIterable {
        case passphrase, streamid
    }

    /// What FFmpeg says of a caller with the right stream id; `nil` where none is asked for.
    private let words: StreamKey?
    private let logger: Logger
    private let state = Mutex(State())

    /// How long the port stays closed after one wrong stream id, and after several: a relay costs more to start than a stranger
    /// to call. No longer, since a caller that means it tries for three seconds.
    private static let pauses = Duration.milliseconds(250) ... .seconds(1)
    private static let forgiveness = Duration.seconds(10)

    /// `nil` for a source that nobody calls by SRT.
    init?(_ kind: SourceKind, logger: Logger) {
        guard case .srt(let srt) = kind else { return nil }
        words = srt.streamid.map { StreamKey(SRTCaller.words(for: $0)) }
        self.logger = logger
    }

    var asksForStreamID: Bool { words != nil }

    /// How many were turned away, by reason.
    var refusals: [String: Int] {
        let counts = state.withLock(\.refusals)
        let reasons = Reason.allCases.filter { $0 != .streamid || asksForStreamID }
        return Dictionary(uniqueKeysWithValues: reasons.map { ($0.rawValue, counts[$0] ?? 0) })
    }

    /// The next relay begins.
    func begin() { state.withLock { $0.verdict = nil } }

    /// The relay's caller was turned away: nothing more that it says is to be told.
    var hasRefused: Bool { state.withLock(\.verdict) == .wrong }

    /// How long the port stays closed after the relay that has ended.
    var pause: Duration? {
        state.withLock { state in
            state.verdict == .wrong ? min(Self.pauses.lowerBound * (1 << min(state.failures - 1, 8)), Self.pauses.upperBound) : nil
        }
    }

    /// The relay says something.
    ///
    /// - Returns: What is to become of its caller, once it is known.
    func hears(_ line: LogLine) -> Verdict? {
        guard let caller = SRTCaller(line) else { return nil }
        switch caller {
        case .wrongPassphrase:
            refuse(.passphrase, "turned away: wrong SRT passphrase, or none")
            return nil
        case .accepted(let found):
            guard let words else { return nil }
            return decide(words.admits(found) ? .right : .wrong, "turned away: wrong SRT stream id, or none")
        case .opened:
            guard words != nil else { return nil }
            return decide(.wrong, "turned away: this FFmpeg does not tell which SRT stream id a caller names; leave streamid: out and set a passphrase:")
        }
    }

    /// The first verdict on a caller counts.
    private func decide(_ verdict: Verdict, _ why: String) -> Verdict? {
        let isFirst = state.withLock { state in
            guard state.verdict == nil else { return false }
            state.verdict = verdict
            guard verdict == .wrong else { return true }
            let now = ContinuousClock.now
            state.failures = now - state.lastFailure < Self.forgiveness ? state.failures + 1 : 1
            state.lastFailure = now
            return true
        }
        guard isFirst else { return nil }
        if verdict == .wrong { refuse(.streamid, why) }
        return verdict
    }

    private func refuse(_ reason: Reason, _ why: String) {
        let unsaid = state.withLock { state in
            state.refusals[reason, default: 0] += 1
            return state.reports.note()
        }
        guard let unsaid else { return }
        logger.warning("\(why)", metadata: unsaid > 0 ? ["unsaid": "\(unsaid)"] : [:])
    }
}
