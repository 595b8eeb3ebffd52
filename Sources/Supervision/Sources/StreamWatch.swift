import FFmpeg
import Logging
import Synchronization

/// Reads what the relay of a source says of the streams that come, and finds which of them it takes, and at what rate
/// they come.
final class StreamWatch: Sendable {
    private struct State {
        /// What the relay in use says of its input, as far as it has.
        var input = InputDescription()
        /// What the one before said.
        var former: InputDescription?
        /// What the relay in use, or else the next one, takes.
        var map: StreamMap
        var choice: StreamChoice?
        /// A relay was replaced for new streams, and the next one has not listed them yet.
        var expectsOthers = false
        /// When that was so last, and the list was the same as ever.
        var inVain: ContinuousClock.Instant?
        /// Bits a second, as measured while nothing was encoded.
        var measured: Int?
        /// What a call brings since then.
        var call = CallRate()
        /// The relay in use passes everything on as it comes.
        var isCopying = true
        /// To be carried out once it is measured.
        var waiting: Wait?
        /// Why there is no picture to take.
        var obstacle: String?
    }

    /// What waits for the rate. Its timer ends this one, and no later one.
    private final class Wait: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// What comes is measured before its picture is encoded.
    let measures: Bool
    private let program: Int?
    private let isFlattened: Bool
    private let clock: any ServiceClock
    private let statistics: ProcessStatistics
    private let logger: Logger
    private let state: Mutex<State>

    /// How long new streams are not heeded after a relay that was replaced for some found none.
    private static let calm = Duration.seconds(60)
    /// How long the rate is waited for: a source that sends in bursts is encoded all the same.
    static let measuring = Duration.seconds(3)
    /// How much media a measurement takes, in microseconds.
    private static let enough: Int64 = 1_000_000

    /// - Parameters:
    ///   - program: The number of the program that is asked for.
    ///   - isFlattened: The streams come without their programs, in their order.
    ///   - measures: The relay says how much it passes on.
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

    /// Another sender comes: nothing is known of it.
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

    /// A relay has ended. One that listed no streams had nothing to read.
    func ended() {
        if state.withLock({ !$0.input.isWhole }) { disconnected() }
    }

    /// The next relay begins.
    ///
    /// - Parameter isCopying: It encodes no picture.
    /// - Returns: What it takes.
    func begin(isCopying: Bool) -> StreamMap {
        state.withLock { state in
            if state.input.isWhole { state.former = state.input }
            // The rate is not waited for any more.
            if !isCopying { state.waiting = nil }
            (state.input, state.isCopying) = (InputDescription(), isCopying)
            return state.map
        }
    }

    /// What is taken; `nil` while it is not known.
    var choice: StreamChoice? { state.withLock(\.choice) }
    /// Bits a second of what came; `nil` while it is not known.
    var measured: Int? { state.withLock(\.measured) }

    // MARK: What the relay says

    /// - Returns: Whether another relay has to take its place, that takes other streams.
    func hears(_ line: LogLine) -> Bool {
        if Self.isOfNewStream(line) {
            let isNews = state.withLock { state in
                guard state.inVain.map({ clock.now - $0 > Self.calm }) ?? true, !state.expectsOthers else {
                    return false
                }
                state.expectsOthers = true
                return true
            }
            if isNews { logger.notice("other streams come than before: the relay begins anew with them") }
            return isNews
        }
        let found = state.withLock { state -> (StreamChoice, isOther: Bool)? in
            guard state.input.consume(line) else { return nil }
            if state.expectsOthers {
                (state.expectsOthers, state.inVain) = (false, state.former == state.input ? clock.now : nil)
            }
            let choice = StreamChoice(
                of: state.input, program: program, former: state.choice?.program?.number, isFlattened: isFlattened)
            // A relay that takes the program by its number goes on with it, in whatever order the streams are listed.
            let isNamed = choice.map == .first && choice.program.map { state.map == .program($0.number) } == true
            let isOther = choice.map != state.map && !isNamed
            state.choice = choice
            if !isNamed { state.map = choice.map }
            return (choice, isOther: isOther)
        }
        guard let found else { return false }
        tell(found.0)
        return found.isOther
    }

    /// A stream appeared after the relay had begun: it takes none of those.
    static func isOfNewStream(_ line: LogLine) -> Bool {
        guard line.level == .warning else { return false }
        let text = LogLine.withoutPrefixes(line.text)
        return text.hasPrefix("New video stream ") || text.hasPrefix("New audio stream ")
    }

    private func tell(_ choice: StreamChoice) {
        for (note, text) in [(SourceNote.programs, choice.programNote), (SourceNote.tracks, choice.trackNote)] {
            if statistics.note(note, text), let text { logger.notice("\(text)") }
        }
        let (before, now) = state.withLock { state in
            defer { state.obstacle = choice.obstacle }
            return (state.obstacle, choice.obstacle)
        }
        guard before != now else { return }
        statistics.hasTrouble(now)
        if let now { logger.warning("\(now)") }
    }

    // MARK: Its rate

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

    /// Takes what the process has passed on that has a call, whose rate may become another one.
    ///
    /// - Returns: The rate so far, where ``measured`` is another one now.
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

    /// Calls `body` once the rate is known, or is waited for no longer.
    ///
    /// - Returns: The timer; `nil` where the rate is known.
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

    // MARK: What is made of it

    /// Tells what the relay that begins encodes.
    ///
    /// - Parameter bitrate: Of the picture.
    func encodes(_ transcoding: Commands.Transcoding, bitrate: Int) {
        let choice = choice
        var parts: [String] = []
        if transcoding.video {
            parts.append(
                "picture \(choice?.video.map { "\($0.codec) " } ?? "")to H.264 at \(Self.megabits(bitrate)) Mbit/s")
        }
        if transcoding.audio, let codec = choice?.audio?.codec, codec != "aac" {
            parts.append("sound \(codec) to AAC at \(Commands.foreignSound / 1000) kbit/s")
        }
        let text = parts.isEmpty ? nil : "encoded on the way in: " + parts.joined(separator: ", ")
        if statistics.note(.encoding, text), let text { logger.notice("\(text)") }
    }

    private static func megabits(_ bits: Int) -> String { "\(bits / 1_000_000).\(bits / 100_000 % 10)" }
}
