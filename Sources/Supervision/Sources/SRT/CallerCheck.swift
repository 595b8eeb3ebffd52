import BoxConfiguration
import FFmpeg
import Logging
import RTMP
import RTMPIngest
import Synchronization

/// Decides whether the caller of an SRT source may go on air. If the source asks for a stream id, nothing of a caller
/// is taken until it has named the right one.
final class CallerCheck: Sendable {
    enum Verdict {
        case right, wrong
    }

    private struct State {
        /// The words that FFmpeg prints for a caller with the right stream id. No caller is accepted until they are
        /// known.
        var words: StreamKey?
        /// The number of attempts to read the stream id, and the attempt that gave ``words``: a later attempt wins.
        var readings = 0
        var reading = 0
        /// Counts starts and ends of relays.
        var relay = 0
        /// Whether video has arrived from the present caller.
        var hasDelivered = false
        /// The verdict on the present caller. `nil` until it has named its stream id.
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

    /// The stream id that callers have to name.
    private let streamID: SecretReference?
    private let clock: any ServiceClock
    private let logger: Logger
    private let state = Mutex(State())

    /// How long the port stays closed after one wrong stream id, and after several: starting a relay costs more than
    /// calling it. No longer, since an honest caller tries for three seconds.
    private static let pauses = Duration.milliseconds(250) ... .seconds(1)
    private static let forgiveness = Duration.seconds(10)
    /// How long a caller may take for its first video frame: no other caller is accepted while it is connected.
    private static let silence = Duration.seconds(10)

    init(_ source: SRTSource, clock: any ServiceClock = ContinuousClock(), logger: Logger) {
        self.clock = clock
        streamID = source.streamid
        self.logger = logger
    }

    var asksForStreamID: Bool { streamID != nil }

    /// How many callers were rejected, by reason.
    var refusals: [String: Int] {
        let counts = state.withLock(\.refusals)
        let reasons = Reason.allCases.filter { $0 != .streamid || asksForStreamID }
        return Dictionary(uniqueKeysWithValues: reasons.map { ($0.rawValue, counts[$0] ?? 0) })
    }

    /// Reads the stream id again.
    ///
    /// - Throws: ``SecretError``; the stream id that was read before stays in use.
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

    /// Reads the stream id again, for callers that come from now on.
    func reloadStreamID(_ reader: SecretReader) async {
        do {
            try await readStreamID(reader)
        } catch {
            logger.error(
                "the stream id cannot be read, the one that was read before stays in use",
                metadata: ["reason": "\(error)"])
        }
    }

    /// Called when the next relay starts.
    func begin() {
        state.withLock { state in
            state.relay += 1
            (state.verdict, state.hasDelivered) = (nil, false)
        }
    }

    /// Video of the caller is expected from now on.
    ///
    /// - Returns: For ``isMute(_:)``.
    func expectVideo() -> Int {
        state.withLock { state in
            state.relay += 1
            state.hasDelivered = false
            return state.relay
        }
    }

    /// Called when video arrives.
    func delivers() { state.withLock { $0.hasDelivered = true } }

    /// Waits for the first video frame of a caller that was admitted.
    ///
    /// - Parameter relay: The relay that reads it, as ``expectVideo()`` returned it.
    /// - Returns: Whether none arrived, and the caller is still connected.
    func isMute(_ relay: Int) async -> Bool {
        try? await clock.sleep(for: Self.silence)
        guard state.withLock({ $0.relay == relay && !$0.hasDelivered }) else { return false }
        warn("the SRT caller sends no video: it is disconnected")
        return true
    }

    /// Whether the present caller was rejected: its lines are not to be logged.
    var hasRefused: Bool { state.withLock(\.verdict) == .wrong }

    /// Called when the relay has ended.
    ///
    /// - Returns: How long the port stays closed.
    func end() -> Duration? {
        state.withLock { state in
            state.relay += 1
            return state.verdict == .wrong
                ? min(Self.pauses.lowerBound * (1 << min(state.failures - 1, 8)), Self.pauses.upperBound) : nil
        }
    }

    /// Reads a line of the relay.
    ///
    /// - Returns: The verdict on its caller, once there is one.
    func handle(_ line: LogLine) -> Verdict? {
        guard let caller = SRTCaller(line) else { return nil }
        switch caller {
        case .wrongPassphrase:
            refuse(.passphrase, "rejected: wrong SRT passphrase, or none")
            return nil
        case .accepted(let found):
            let isRight = !asksForStreamID || state.withLock(\.words)?.admits(found) == true
            return decide(isRight ? .right : .wrong, "rejected: wrong SRT stream id, or none")
        case .opened:
            guard asksForStreamID else { return decide(.right, "") }
            return decide(
                .wrong,
                """
                rejected: this FFmpeg does not print which SRT stream id a caller names; leave streamid: out and \
                set a passphrase:
                """
            )
        }
    }

    /// Keeps the first verdict on a caller.
    private func decide(_ verdict: Verdict, _ why: Logger.Message) -> Verdict? {
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

    private func refuse(_ reason: Reason, _ why: Logger.Message) {
        state.withLock { $0.refusals[reason, default: 0] += 1 }
        warn(why)
    }

    private func warn(_ message: Logger.Message) {
        guard let suppressed = state.withLock({ $0.reports.note() }) else { return }
        logger.warning(message, metadata: suppressed > 0 ? ["suppressed": "\(suppressed)"] : [:])
    }
}
