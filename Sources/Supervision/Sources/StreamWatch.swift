import FFmpeg
import Logging
import Synchronization

/// Reads the relay's list of the source's streams, finds which of them to take, and measures their rate.
final class StreamWatch: Sendable {
    private struct State {
        /// The streams that the relay in use has listed so far.
        var input = InputDescription()
        /// The list of the relay before.
        var former: InputDescription?
        /// The streams that the relay in use takes, or else the next one.
        var map: StreamMap
        var choice: StreamChoice?
        /// Whether a relay was replaced for new streams, and the next one has not listed them yet.
        var expectsOthers = false
        /// When a relay was last replaced for new streams, and the next one listed the same ones as before.
        var inVain: ContinuousClock.Instant?
        /// Bits per second, as measured while nothing was encoded.
        var measured: Int?
        /// The rate of a call since then.
        var call = CallRate()
        /// Whether the relay in use encodes no video.
        var isCopying = true
        /// The closure that waits until the rate is measured.
        var waiting: Wait?
        /// Why the source has no video that the relay can use. `nil` if it has.
        var obstacle: String?
    }

    /// A closure that waits for the rate. Its timer ends this wait, and no later one.
    private final class Wait: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Whether the rate is measured before the video is encoded.
    let measures: Bool
    private let program: Int?
    private let isFlattened: Bool
    private let clock: any ServiceClock
    private let statistics: ProcessStatistics
    private let logger: Logger
    private let state: Mutex<State>

    /// How long new streams are ignored after a relay was replaced for some and the next one found none.
    private static let calm = Duration.seconds(60)
    /// How long to wait for the rate. A source that sends in bursts is encoded without it.
    static let measuring = Duration.seconds(3)
    /// How much media a measurement needs, in microseconds.
    private static let enough: Int64 = 1_000_000

    /// - Parameters:
    ///   - program: The number of the configured program.
    ///   - isFlattened: The relay lists the streams in their order, without their programs.
    ///   - measures: The relay prints how many bytes it passes on.
    init(
        program: Int?, isFlattened: Bool = false, measures: Bool = true, clock: any ServiceClock = ContinuousClock(),
        statistics: ProcessStatistics, logger: Logger
    ) {
        self.clock = clock
        self.measures = measures
        self.program = program
        self.isFlattened = isFlattened
        self.statistics = statistics
        self.logger = logger
        state = Mutex(State(map: program.map(StreamMap.program) ?? .first))
    }

    /// Forgets what is known of the sender, because another one follows.
    func forget() {
        state.withLock { state in
            let obstacle = state.obstacle
            state = State(map: program.map(StreamMap.program) ?? .first, obstacle: obstacle)
        }
        for note in [SourceNote.programs, .tracks, .encoding] { statistics.note(note, nil) }
    }

    /// The source is no longer connected: a problem with its streams is over.
    func disconnected() {
        let hadObstacle = state.withLock { state in
            defer { state.obstacle = nil }
            return state.obstacle != nil
        }
        if hadObstacle { statistics.hasTrouble(nil) }
    }

    /// A relay has ended. If it listed no streams, it had nothing to read.
    func ended() {
        if state.withLock({ !$0.input.isWhole }) { disconnected() }
    }

    /// The next relay starts.
    ///
    /// - Parameter isCopying: It encodes no video.
    /// - Returns: The streams that it takes.
    func begin(isCopying: Bool) -> StreamMap {
        state.withLock { state in
            if state.input.isWhole { state.former = state.input }
            // The rate is no longer awaited.
            if !isCopying { state.waiting = nil }
            (state.input, state.isCopying) = (InputDescription(), isCopying)
            return state.map
        }
    }

    /// The streams that are taken. `nil` while they are not known.
    var choice: StreamChoice? { state.withLock(\.choice) }
    /// Bits per second of the source. `nil` while they are not known.
    var measured: Int? { state.withLock(\.measured) }

    // MARK: The relay's lines

    /// Reads a line of the relay.
    ///
    /// - Returns: Whether another relay has to replace it, that takes other streams.
    func handle(_ line: LogLine) -> Bool {
        if Self.isOfNewStream(line) {
            let isNews = state.withLock { state in
                guard state.inVain.map({ clock.now - $0 > Self.calm }) ?? true, !state.expectsOthers else {
                    return false
                }
                state.expectsOthers = true
                return true
            }
            if isNews { logger.notice("the source sends other streams than before: the relay restarts with them") }
            return isNews
        }
        let found = state.withLock { state -> (StreamChoice, isOther: Bool)? in
            guard state.input.consume(line) else { return nil }
            if state.expectsOthers {
                (state.expectsOthers, state.inVain) = (false, state.former == state.input ? clock.now : nil)
            }
            let choice = StreamChoice(
                of: state.input, program: program, former: state.choice?.program?.number, isFlattened: isFlattened)
            // A relay that takes the program by its number keeps it, in whatever order the streams are listed.
            let isNamed = choice.map == .first && choice.program.map { state.map == .program($0.number) } == true
            let isOther = choice.map != state.map && !isNamed
            state.choice = choice
            if !isNamed { state.map = choice.map }
            return (choice, isOther: isOther)
        }
        guard let found else { return false }
        report(found.0)
        return found.isOther
    }

    /// A stream appeared after the relay had started, which takes no such stream.
    static func isOfNewStream(_ line: LogLine) -> Bool {
        guard line.level == .warning else { return false }
        let text = LogLine.withoutPrefixes(line.text)
        return text.hasPrefix("New video stream ") || text.hasPrefix("New audio stream ")
    }

    private func report(_ choice: StreamChoice) {
        for (note, text) in [(SourceNote.programs, choice.programNote), (SourceNote.tracks, choice.trackNote)] {
            guard statistics.note(note, text), let text else { continue }
            logger.notice("the source has several streams", metadata: ["reason": "\(text)"])
        }
        let (before, now) = state.withLock { state in
            defer { state.obstacle = choice.obstacle }
            return (state.obstacle, choice.obstacle)
        }
        guard before != now else { return }
        statistics.hasTrouble(now)
        if let now { logger.warning("the source has no video to take", metadata: ["reason": "\(now)"]) }
    }

    // MARK: The rate

    /// Takes the progress of a relay, and measures the rate once.
    func progressed(_ progress: Progress) {
        let waiting = state.withLock { state -> Wait? in
            guard state.isCopying, state.measured == nil, let bytes = progress.totalSize, bytes > 0,
                let time = progress.outTime, time >= Self.enough
            else { return nil }
            state.measured = Int(Double(bytes) * 8_000_000 / Double(time))
            state.call.measured()
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.body()
    }

    /// Takes the progress of the process that holds a call, whose rate may change.
    ///
    /// - Returns: The rate so far, if ``measured`` has changed.
    func callProgressed(_ progress: Progress, at now: ContinuousClock.Instant? = nil) -> Int? {
        guard let bytes = progress.totalSize else { return nil }
        return state.withLock { state -> Int? in
            guard let times = state.call.note(bytes, at: now ?? clock.now), let former = state.measured,
                !state.isCopying
            else {
                return nil
            }
            state.measured = Int(Double(former) * times)
            return former
        }
    }

    /// Calls `body` once the rate is known, or `patience` is over.
    ///
    /// - Returns: The timer. `nil` if the rate is known.
    @discardableResult
    func whenMeasured(
        within patience: Duration = StreamWatch.measuring, _ body: @escaping @Sendable () -> Void
    ) -> Task<Void, Never>? {
        let wait = Wait(body)
        let isKnown = state.withLock { state in
            if state.measured == nil { state.waiting = wait }
            return state.measured != nil
        }
        if isKnown {
            body()
            return nil
        }
        return Task {
            guard await (try? clock.sleep(for: patience)) != nil else { return }
            let isLate = state.withLock { state in
                guard state.waiting === wait else { return false }
                state.waiting = nil
                return true
            }
            if isLate { wait.body() }
        }
    }

    // MARK: Encoding

    /// Notes and logs the conversions of the relay that starts.
    ///
    /// - Parameter bitrate: Bits per second of the video.
    func encodes(_ transcoding: FFmpegCommands.Transcoding, bitrate: Int) {
        let choice = choice
        var parts: [String] = []
        if transcoding.video {
            parts.append(
                "video \(choice?.video.map { "\($0.codec) " } ?? "")to H.264 at \(Self.megabits(bitrate)) Mbit/s")
        }
        if transcoding.audio, let codec = choice?.audio?.codec, codec != "aac" {
            parts.append("audio \(codec) to AAC at \(FFmpegCommands.convertedAudioBitrate / 1000) kbit/s")
        }
        let text = parts.isEmpty ? nil : "encoded on the way in: " + parts.joined(separator: ", ")
        guard statistics.note(.encoding, text), let text else { return }
        logger.notice("the relay encodes", metadata: ["reason": "\(text)"])
    }

    private static func megabits(_ bits: Int) -> String { "\(bits / 1_000_000).\(bits / 100_000 % 10)" }
}
