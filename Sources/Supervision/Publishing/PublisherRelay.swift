import Configuration
import FFmpeg
import Ingest
import Logging
import Polling
import RTMP
import Synchronization
import SystemPackage
import TransportStream

/// What a source has to do with its RTMP port: who is let in, and how a relay gets what the publisher sends.
final class PublisherRelay: Sendable {
    private struct State {
        var isWanted = false
        var hasPublisher = false
        /// The relay in use gives pictures.
        var delivers = false
        /// Since when nothing that the publisher sends becomes a picture.
        var withoutPicture = ContinuousClock.now
        /// That is so for long.
        var isMute = false
        /// Relays in a row that ended without a picture of this publisher.
        var failures = 0
        /// The publisher sends faster than real time, or did before it left: some of what it sent waits.
        var isAhead = false
        var isFinishing = false
        /// Readings of the key that were begun, and which of them is in force: a later one counts.
        var readings = 0
        var reading = 0
    }

    private let source: RTMPSource
    private let secrets: SecretReader
    private let ledger: ProcessLedger
    private let logger: Logger
    private let ingest: RTMPIngest
    private let demand: @Sendable () async -> Demand?
    private let latestTime: @Sendable () async -> Int64?
    private let state = Mutex(State())
    private let closing: AsyncStream<Never>
    private let close: AsyncStream<Never>.Continuation

    /// Relays that may end without a picture before the publisher is told that its stream cannot be read.
    private static let mostFailures = 3
    private static let lookInterval = Duration.milliseconds(500)
    private static let restInterval = Duration.milliseconds(100)
    private static let restLooks = 10
    /// Looks at a publisher that sends and a relay that gives nothing, until that one is taken to hang.
    private static let patientLooks = 5
    private static let longestPause = Duration.seconds(5)
    /// How long a publisher may be there without a picture before another one is let in.
    private static let mutePatience = Duration.seconds(10)

    /// - Parameters:
    ///   - demand: Tells when pictures are wanted.
    ///   - latestTime: Gives the decoding time, in ticks, of the last picture of the publisher's stream that came out of a relay;
    ///     `nil` when there is none.
    init(
        _ source: RTMPSource, box: Box, ledger: ProcessLedger, logger: Logger, demand: @escaping @Sendable () async -> Demand?,
        latestTime: @escaping @Sendable () async -> Int64?
    ) {
        self.source = source
        self.demand = demand
        self.latestTime = latestTime
        secrets = box.secretReader
        self.ledger = ledger
        self.logger = logger
        ingest = RTMPIngest(application: source.app, readsEnhanced: box.ffmpeg.capabilities.hasEnhancedFLV)
        (closing, close) = AsyncStream.makeStream()
    }

    /// How many were turned away, by reason.
    var refusals: [String: Int] {
        let counts = ingest.ledger.refusals
        return Dictionary(uniqueKeysWithValues: IngestRefusal.allCases.map { ($0.rawValue, counts[$0] ?? 0) })
    }

    // MARK: The port

    /// Keeps the port open until ``finish()``; what happens there is told to `process`. Returns when it is cancelled.
    func run(_ process: any Supervised) async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await self.keepOpen() }
            tasks.addTask { await self.look(process) }
            for await event in ingest.events { handle(event, process) }
        }
    }

    /// Closes the port: the relay in use gets the rest, and the end.
    func finish() {
        state.withLock { $0.isFinishing = true }
        close.finish()
    }

    private func keepOpen() async {
        var pause = Duration.seconds(1)
        var told: String?
        while !Task.isCancelled {
            do {
                try await readKey()
                _ = try await ingest.listen(host: source.listen.host, port: source.listen.port)
                ledger.isHindered(by: nil)
                logger.notice("listens", metadata: ["address": "\(source.listen)"])
                for await _ in closing {}
                return await ingest.close()
            } catch {
                let why = (error as? SecretError)?.description ?? "cannot listen on \(source.listen): \(error)"
                ledger.isHindered(by: why)
                if told != why { logger.warning("\(why); it is tried again") }
                told = why
            }
            try? await ContinuousClock().sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func readKey() async throws(SecretError) {
        let reading = state.withLock { state in
            state.readings += 1
            return state.readings
        }
        let admission: Admission
        if let key = source.key {
            admission = .holders(of: StreamKey(try await secrets.secret(key, as: .key).reveal()))
        } else {
            admission = .anybody
        }
        state.withLock { state in
            guard reading > state.reading else { return }
            state.reading = reading
            ingest.admit(admission)
        }
    }

    /// Reads the key again.
    func reloadKey() async {
        do {
            try await readKey()
        } catch {
            logger.error("\(error); the key that was read before goes on")
        }
    }

    /// Something has happened at the port.
    func handle(_ event: IngestEvent, _ process: any Supervised) {
        switch event {
        case .began(let address):
            logger.notice("a publisher came", metadata: ["address": "\(address)"])
            ledger.hasSender(true)
            state.withLock { ($0.hasPublisher, $0.delivers, $0.withoutPicture, $0.isMute, $0.failures) = (true, false, .now, false, 0) }
            update(process)
        case .ended(let ending):
            switch ending {
            case .left: logger.notice("the publisher left")
            case .idle: logger.warning("the publisher sent nothing for a long time: its connection is closed")
            case .replaced: logger.warning("the publisher was silent, and another one with the right key takes its place")
            case .keyChanged: logger.warning("the key has changed, and the publisher showed the one before: its connection is closed")
            case .violation(let why): logger.warning("the publisher's connection is closed: \(why)")
            case .rejected(let why): logger.warning("the publisher is turned away: \(why)")
            }
            ledger.hasSender(false)
            state.withLock { $0.hasPublisher = false }
            update(process)
        case .refused(let reason, let address, let detail, let unsaid):
            var metadata: Logger.Metadata = ["address": "\(address)", "reason": "\(reason.rawValue)"]
            if unsaid > 0 { metadata["unsaid"] = "\(unsaid)" }
            logger.warning("turned away: \(detail ?? reason.sentence)", metadata: metadata)
        }
    }

    // MARK: The relay

    func want(_ wanted: Bool, _ process: any Supervised) {
        state.withLock { $0.isWanted = wanted }
        update(process)
    }

    /// Tells whether a relay can run. Under the lock, so that what was told last is what holds: a publisher comes and goes while the
    /// channel wants the source, or does so no more.
    private func update(_ process: any Supervised) { state.withLock { process.report(.want($0.isWanted && $0.hasPublisher)) } }

    /// The next relay's input, from where the one before broke off; `nil` when the publisher has gone.
    func attach() async -> (Presence, FileDescriptor)? {
        state.withLock { $0.delivers = false }
        return await ingest.attach(after: await latestMilliseconds(), for: await demand())
    }

    private func latestMilliseconds() async -> Int64? { await latestTime().map { $0 * 1000 / Ticks.perSecond } }

    func delivers() {
        ledger.isSilent(false)
        let wasMute = state.withLock { state in
            defer { (state.delivers, state.isMute, state.failures) = (true, false, 0) }
            return state.isMute
        }
        if wasMute { ingest.setMute(false) }
    }

    /// No picture came for a while, because of the publisher or because of the relay.
    func stalled() {
        ledger.isSilent(true)
        state.withLock { $0.delivers = false }
    }

    func isAhead(_ isAhead: Bool) { state.withLock { $0.isAhead = isAhead } }

    /// Returns when the relay of a publisher that has left may be ended: soon, or, where the publisher was ahead of
    /// real time, once all that it sent is out; and at once when another publisher comes or the source is to end.
    func untilRestIsOut() async {
        var looks = 0
        while state.withLock({ state in
            // That it was ahead may show only once the relay has given some of it.
            guard state.isAhead && state.delivers || looks < Self.restLooks else { return false }
            return state.isWanted && !state.hasPublisher && !state.isFinishing
        }) {
            looks += 1
            guard (try? await ContinuousClock().sleep(for: Self.restInterval)) != nil else { return }
        }
    }

    func ended(asked: Bool) {
        let failures = state.withLock { state in
            if !asked, !state.delivers { state.failures += 1 }
            return state.failures
        }
        if failures >= Self.mostFailures { ingest.reject("FFmpeg cannot read the stream: it needs a picture in H.264") }
    }

    private func noticeMute() {
        let isNew = state.withLock { state in
            if state.delivers { state.withoutPicture = .now }
            guard !state.isMute, .now - state.withoutPicture >= Self.mutePatience else { return false }
            state.isMute = true
            return true
        }
        guard isNew else { return }
        logger.warning("the publisher sends no picture: another one with the right key may take its place")
        ingest.setMute(true)
    }

    /// Finds a relay that hangs: its publisher sends, and it gives nothing. And has the ingest keep no more than it must.
    private func look(_ process: any Supervised) async {
        var looks = 0
        var isWell = false
        while await (try? ContinuousClock().sleep(for: isWell ? Self.lookInterval * 2 : Self.lookInterval)) != nil {
            let (hasPublisher, delivers) = state.withLock { ($0.hasPublisher && $0.isWanted, $0.delivers) }
            isWell = delivers
            guard hasPublisher else {
                looks = 0
                // There is nobody, or nobody who would make pictures of it.
                state.withLock { $0.withoutPicture = .now }
                continue
            }
            noticeMute()
            if delivers, let time = await latestMilliseconds() { ingest.confirm(time) }
            let mayHang = !delivers && ingest.ledger.delivers(within: Self.lookInterval)
            looks = mayHang ? looks + 1 : 0
            guard looks >= Self.patientLooks else { continue }
            looks = 0
            logger.warning("the relay takes what the publisher sends and gives nothing: it is replaced")
            process.report(.stalled)
        }
    }
}

extension IngestRefusal {
    /// For the log.
    fileprivate var sentence: String {
        switch self {
        case .application: "it named another application"
        case .key: "wrong stream key"
        case .busy: "somebody else is publishing"
        case .codec: "what it sends cannot be carried"
        case .connections: "too many connections that do not publish"
        case .handshake: "it did not ask to publish in time"
        case .protocol: "it does not speak RTMP"
        }
    }
}
