import BoxConfiguration
import FFmpeg
import Logging
import RTMP
import RTMPIngest
import Synchronization

/// Whether the caller of an SRT source may go on air. Where the source asks for a stream id, nothing that its relay
/// gives is taken until the right one was named.
final class CallerCheck: Sendable {
    enum Verdict {
        case right, wrong
    }

    private struct State {
        /// What FFmpeg says of a caller with the right stream id. None is right until it is known.
        var words: StreamKey?
        /// Readings of the stream id that were begun, and which of them gave ``words``: a later one counts.
        var readings = 0
        var reading = 0
        /// Counts beginnings and ends of relays.
        var relay = 0
        /// A picture came of the caller of the relay in use.
        var hasDelivered = false
        /// Of the caller of the relay in use; `nil` until it has said who it is.
        var verdict: Verdict?
        var refusals: [Reason: Int] = [:]
        var reports = ReportLimit()
        var failures = 0
        /// `nil` before the first.
        var lastFailure: ContinuousClock.Instant?
    }

    private enum Reason: String, CaseIterable {
        case passphrase, streamid
    }

    /// The stream id that is asked for.
    private let streamID: SecretReference?
    private let clock: any ServiceClock
    private let logger: Logger
    private let state = Mutex(State())

    /// How long the port stays closed after one wrong stream id, and after several: a relay costs more to start than a
    /// stranger to call. No longer, since a caller that means it tries for three seconds.
    private static let pauses = Duration.milliseconds(250) ... .seconds(1)
    private static let forgiveness = Duration.seconds(10)
    /// How long a caller may take for its first picture: as long as it is there nobody else gets in.
    private static let silence = Duration.seconds(10)

    init(_ source: SRTSource, clock: any ServiceClock = ContinuousClock(), logger: Logger) {
        self.clock = clock
        streamID = source.streamid
        self.logger = logger
    }

    var asksForStreamID: Bool { streamID != nil }

    /// How many were turned away, by reason.
    var refusals: [String: Int] {
        let counts = state.withLock(\.refusals)
        let reasons = Reason.allCases.filter { $0 != .streamid || asksForStreamID }
        return Dictionary(uniqueKeysWithValues: reasons.map { ($0.rawValue, counts[$0] ?? 0) })
    }

    /// Reads the stream id again.
    ///
    /// - Throws: ``SecretError``; the one that was read before goes on.
    func readStreamID(_ reader: SecretReader) async throws(SecretError) {
        guard let streamID else { return }
        let reading = state.withLock { state in
            state.readings += 1
            return state.readings
        }
        let words = StreamKey(SRTCaller.words(for: try await reader.secret(streamID, as: .streamid).reveal()))
        state.withLock { state in
            guard reading > state.reading else { return }
            (state.words, state.reading) = (words, reading)
        }
    }

    /// Reads the stream id again, for callers who come from now on.
    func reloadStreamID(_ reader: SecretReader) async {
        do {
            try await readStreamID(reader)
        } catch {
            logger.error("\(error); the stream id that was read before goes on")
        }
    }

    /// The next relay begins.
    func begin() {
        state.withLock { state in
            state.relay += 1
            (state.verdict, state.hasDelivered) = (nil, false)
        }
    }

    /// A picture is expected of the caller from now on.
    ///
    /// - Returns: For ``isMute(_:)``.
    func expectPicture() -> Int {
        state.withLock { state in
            state.relay += 1
            state.hasDelivered = false
            return state.relay
        }
    }

    /// A picture came.
    func delivers() { state.withLock { $0.hasDelivered = true } }

    /// Waits for the first picture of a caller that was let in.
    ///
    /// - Parameter relay: Which relay reads it, as ``expectPicture()`` returned it.
    /// - Returns: Whether none came, and the caller is still there.
    func isMute(_ relay: Int) async -> Bool {
        try? await clock.sleep(for: Self.silence)
        guard state.withLock({ $0.relay == relay && !$0.hasDelivered }) else { return false }
        warn("the SRT caller sends no picture: it is hung up on")
        return true
    }

    /// The relay's caller was turned away: nothing more that it says is to be told.
    var hasRefused: Bool { state.withLock(\.verdict) == .wrong }

    /// The relay has ended.
    ///
    /// - Returns: How long the port stays closed.
    func end() -> Duration? {
        state.withLock { state in
            state.relay += 1
            return state.verdict == .wrong
                ? min(Self.pauses.lowerBound * (1 << min(state.failures - 1, 8)), Self.pauses.upperBound) : nil
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
            let isRight = !asksForStreamID || state.withLock(\.words)?.admits(found) == true
            return decide(isRight ? .right : .wrong, "turned away: wrong SRT stream id, or none")
        case .opened:
            guard asksForStreamID else { return decide(.right, "") }
            return decide(
                .wrong,
                """
                turned away: this FFmpeg does not tell which SRT stream id a caller names; leave streamid: out and \
                set a passphrase:
                """
            )
        }
    }

    /// The first verdict on a caller counts.
    private func decide(_ verdict: Verdict, _ why: String) -> Verdict? {
        let isFirst = state.withLock { state in
            guard state.verdict == nil else { return false }
            state.verdict = verdict
            guard verdict == .wrong else { return true }
            let now = clock.now
            let isRepeated = state.lastFailure.map { now - $0 < Self.forgiveness } ?? false
            state.failures = isRepeated ? state.failures + 1 : 1
            state.lastFailure = now
            return true
        }
        guard isFirst else { return nil }
        if verdict == .wrong { refuse(.streamid, why) }
        return verdict
    }

    private func refuse(_ reason: Reason, _ why: String) {
        state.withLock { $0.refusals[reason, default: 0] += 1 }
        warn(why)
    }

    private func warn(_ what: String) {
        guard let unsaid = state.withLock({ $0.reports.note() }) else { return }
        logger.warning("\(what)", metadata: unsaid > 0 ? ["unsaid": "\(unsaid)"] : [:])
    }
}
