import BoxConfiguration
import Logging
import RTMP
import RTMPIngest
import Synchronization

/// The RTMP port of a source: admits publishers, and reports whether one is connected whose stream the channel can
/// take.
final class PublisherPort: Sendable {
    private struct State {
        var isWanted = false
        var hasPublisher = false
        /// Whether the publisher's frames reach the channel.
        var delivers = false
        /// Since when the publisher has sent no usable video.
        var withoutVideo: ContinuousClock.Instant
        /// Whether it has sent none for ``mutePatience``.
        var isMute = false
        /// The fault of most of its messages, with the fix.
        var advice: String?
        /// The media that the publisher announced.
        var announced: String?
        var announcements = ReportLimit()
        /// The number of attempts to read the key, and the attempt that read the key in use: a later attempt wins.
        var readings = 0
        var reading = 0
    }

    private let source: RTMPSource
    /// Learns whether a stream can be taken.
    private let process: any Supervised
    private let secrets: SecretReader
    private let clock: any ServiceClock
    private let statistics: ProcessStatistics
    private let logger: Logger
    private let ingest: RTMPServer
    private let state: Mutex<State>
    private let closing: AsyncStream<Never>
    private let close: AsyncStream<Never>.Continuation

    private static let lookInterval = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(5)
    /// How long a publisher may be connected without video before another one may replace it.
    private static let mutePatience = Duration.seconds(10)

    init(
        _ source: RTMPSource, process: any Supervised, context: ServiceContext, statistics: ProcessStatistics,
        logger: Logger
    ) {
        self.source = source
        self.process = process
        secrets = context.secretReader
        clock = context.clock
        state = Mutex(State(withoutVideo: context.clock.now))
        self.statistics = statistics
        self.logger = logger
        ingest = RTMPServer(application: source.app)
        (closing, close) = AsyncStream.makeStream()
    }

    /// How many publishers were rejected, by reason.
    var refusals: [String: Int] {
        let counts = ingest.statistics.refusals
        return Dictionary(uniqueKeysWithValues: IngestRefusal.allCases.map { ($0.rawValue, counts[$0] ?? 0) })
    }

    // MARK: The port

    /// Keeps the port open until ``finish()``; returns when it is cancelled.
    func run() async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await self.keepOpen() }
            tasks.addTask { await self.watchVideo() }
            for await event in ingest.events { handle(event) }
        }
    }

    /// Closes the port. Data that the publisher has already sent still goes to the channel.
    func finish() { close.finish() }

    private func keepOpen() async {
        var pause = Duration.seconds(1)
        var logged: String?
        while !Task.isCancelled {
            do {
                try await readKey()
                _ = try await ingest.listen(host: source.listen.host, port: source.listen.port)
                statistics.isHindered(by: nil)
                logger.notice("listening", metadata: ["address": "\(source.listen)"])
                for await _ in closing {}
                return await ingest.close()
            } catch {
                let why = (error as? SecretError)?.description ?? "cannot listen on \(source.listen): \(error)"
                statistics.isHindered(by: why)
                if logged != why {
                    logger.warning("the port cannot be opened, retrying", metadata: ["reason": "\(why)"])
                }
                logged = why
            }
            try? await clock.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func readKey() async throws(SecretError) {
        let reading = state.withLock { state in
            state.readings += 1
            return state.readings
        }
        let policy: AdmissionPolicy
        if let key = source.key {
            policy = .requireKey(StreamKey(try await secrets.secret(key, as: .key).reveal()))
        } else {
            policy = .acceptAny
        }
        state.withLock { state in
            guard reading > state.reading else { return }
            state.reading = reading
            ingest.setPolicy(policy)
        }
    }

    /// Reads the key again.
    func reloadKey() async {
        do {
            try await readKey()
        } catch {
            logger.error(
                "the key cannot be read, the key that was read before stays in use", metadata: ["reason": "\(error)"])
        }
    }

    /// Handles an event of the port.
    func handle(_ event: IngestEvent) {
        switch event {
        case .began(let address):
            logger.notice("publisher connected", metadata: ["address": "\(address)"])
            statistics.hasSender(true)
            state.withLock { state in
                (state.hasPublisher, state.delivers, state.withoutVideo, state.isMute) = (
                    true, false, clock.now, false
                )
                (state.announced, state.advice) = (nil, nil)
            }
            update()
        case .ended(let ending):
            log(ending)
            statistics.hasSender(false)
            state.withLock { state in
                state.hasPublisher = false
                statistics.note(.sender, ending.note)
            }
            update()
        case .announced(let media):
            let suppressed = state.withLock { state in
                state.announced = media
                return state.announcements.note()
            }
            guard let suppressed else { return }
            var metadata: Logger.Metadata = ["media": "\(media)"]
            if suppressed > 0 { metadata["suppressed"] = "\(suppressed)" }
            logger.info("the publisher announced its media", metadata: metadata)
        case .faults(let counts, let advice):
            let text = counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
            logger.info("messages of the publisher could not be used", metadata: ["messages": "\(text)"])
            guard let advice else { return }
            state.withLock { state in
                state.advice = advice
                // While video arrives, the log is enough.
                if !state.delivers { statistics.note(.sender, advice) }
            }
        case .refused(let reason, let address, let detail, let suppressed):
            var metadata: Logger.Metadata = [
                "address": "\(address)", "reason": "\(reason.rawValue)", "detail": "\(detail ?? reason.sentence)",
            ]
            if suppressed > 0 { metadata["suppressed"] = "\(suppressed)" }
            logger.warning("publisher rejected", metadata: metadata)
        }
    }

    private func log(_ ending: IngestEvent.Ending) {
        switch ending {
        case .left: logger.notice("the publisher left")
        case .idle: logger.warning("the publisher sent nothing for a long time: its connection is closed")
        case .replaced:
            logger.warning("the publisher was silent, and another one with the right key takes its place")
        case .keyChanged:
            logger.warning("the key has changed, and the publisher has the former one: its connection is closed")
        case .violation(let why):
            logger.warning("the publisher broke the protocol: its connection is closed", metadata: ["reason": "\(why)"])
        case .rejected(let why): logger.warning("the publisher is rejected", metadata: ["reason": "\(why)"])
        }
    }

    // MARK: The publisher

    func want(_ wanted: Bool) {
        state.withLock { $0.isWanted = wanted }
        update()
    }

    /// Reports whether a stream can be taken. Under the lock, so that the last report is true: a publisher may connect
    /// or leave while another thread changes whether the source is wanted.
    private func update() {
        state.withLock { process.report(.want($0.isWanted && $0.hasPublisher)) }
    }

    /// Takes the publisher's stream for the channel. `nil` when the publisher has gone.
    func stream() async -> Publication? {
        state.withLock { $0.delivers = false }
        return await ingest.lend()
    }

    /// The publisher's video reaches the channel.
    func delivers() {
        statistics.isSilent(false)
        let wasMute = state.withLock { state in
            defer { (state.delivers, state.isMute, state.advice) = (true, false, nil) }
            // Under the lock: a fault that was noted before is over.
            statistics.note(.sender, nil)
            return state.isMute
        }
        if wasMute { ingest.setSendsNoVideo(false) }
    }

    /// Called when no video has arrived for a while.
    func stalled() {
        statistics.isSilent(true)
        state.withLock { $0.delivers = false }
    }

    private func noticeMute() {
        let (isNew, announced, advice) = state.withLock { state in
            if state.delivers { state.withoutVideo = clock.now }
            let isOverdue = clock.now - state.withoutVideo >= Self.mutePatience
            let isNew = isOverdue && !state.isMute && state.hasPublisher
            let advice = state.advice ?? SourceNote.noVideo
            if isNew {
                state.isMute = true
                statistics.note(.sender, advice)
            }
            return (isNew, state.announced, advice)
        }
        guard isNew else { return }
        var metadata: Logger.Metadata = ["reason": "\(advice)"]
        if let announced { metadata["announced"] = "\(announced)" }
        logger.warning(
            "the publisher sends no video: another one with the right key may take its place", metadata: metadata)
        ingest.setSendsNoVideo(true)
    }

    /// Checks repeatedly whether the publisher sends video.
    private func watchVideo() async {
        while await (try? clock.sleep(for: Self.lookInterval)) != nil {
            let isThere = state.withLock { state in
                let isThere = state.hasPublisher && state.isWanted
                // Without a publisher, or a channel that takes its stream, no time counts.
                if !isThere { state.withoutVideo = clock.now }
                return isThere
            }
            if isThere { noticeMute() }
        }
    }
}

extension IngestEvent.Ending {
    /// The source's note in the status until another publisher delivers.
    fileprivate var note: String? {
        switch self {
        case .rejected(let why): SourceNote.rejected(why)
        case .left, .idle, .replaced, .keyChanged, .violation: nil
        }
    }
}

extension IngestRefusal {
    /// The reason, for the log.
    fileprivate var sentence: String {
        switch self {
        case .application: "it named another application"
        case .key: "wrong stream key"
        case .busy: "another publisher is connected"
        case .codec: "what it sends cannot be carried"
        case .connections: "too many connections that do not publish"
        case .handshake: "it did not ask to publish in time"
        case .protocol: "it does not speak RTMP"
        }
    }
}
