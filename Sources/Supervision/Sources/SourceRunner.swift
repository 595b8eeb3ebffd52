import BoxConfiguration
import DataPath
import FFmpeg
import Logging
import MPEGTS
import MediaTypes
import RTMPIngest
import Synchronization
import SystemPackage
import SystemSupport

/// One source of a channel: its relay, started again whenever it ends.
final class SourceRunner: Runnable {
    let source: SourceConfiguration
    let statistics: ProcessStatistics
    private let process: ProcessRunner
    private let shared: Shared
    private let logger: Logger
    /// For a capture card.
    private let card: CaptureSourceDriver?
    /// For frames of another program.
    private let frames: FrameRelay?
    /// For an RTMP publisher.
    private let publisher: PublisherPort?
    /// For an SRT caller.
    private let caller: CallerCheck?
    private let watch: StreamWatch
    private let place: Place

    /// What the relay's events and its next start share.
    private final class Shared: Sendable {
        let state: Mutex<(transcoding: Commands.Transcoding, process: ProcessRunner?, isNarrow: Bool, toldPace: Bool)>
        /// Of an RTSP source.
        let transport = Mutex(TransportChoice())
        /// What a sender can bring about again and again.
        private let reports = Mutex(
            (changes: ReportLimit(), foreignAudio: ReportLimit(), otherSound: ReportLimit(), lateSound: ReportLimit()))

        init(_ transcoding: Commands.Transcoding) {
            state = Mutex((transcoding: transcoding, process: nil, isNarrow: false, toldPace: false))
        }

        /// What the next relay does with what comes, at the rate that has been measured.
        func transcoding(_ watch: StreamWatch) -> Commands.Transcoding {
            let measured = watch.measured
            return state.withLock { state in
                state.transcoding.measured = measured
                return state.transcoding
            }
        }

        /// What the relay that begins does with what comes.
        ///
        /// - Parameter sound: The channel's; `nil` while it may be in any format.
        func begins(_ watch: StreamWatch, sound: AACFormat?) -> Commands.Transcoding {
            state.withLock { $0.transcoding.keep(sound) }
            return transcoding(watch)
        }

        /// The next caller's first video and first audio are taken alone.
        ///
        /// - Returns: Whether that is news.
        func becomesNarrow() -> Bool {
            state.withLock { state in
                defer { state.isNarrow = true }
                return !state.isNarrow
            }
        }

        /// The format has changed.
        ///
        /// - Returns: How many changes before were not logged, where this one is to be.
        func notesChange() -> Int? { reports.withLock { $0.changes.note() } }

        /// Likewise where audio comes that a feed does not carry.
        func notesForeignAudio() -> Int? { reports.withLock { $0.foreignAudio.note() } }

        /// Likewise where its sound is in another format than the channel's.
        func notesOtherSound() -> Int? { reports.withLock { $0.otherSound.note() } }

        /// Likewise where its sound is too far from its picture.
        func notesLateSound() -> Int? { reports.withLock { $0.lateSound.note() } }

        /// The source comes faster than real time.
        ///
        /// - Returns: Whether that is news: a file that is fetched again and again is told once.
        func isTooFast() -> Bool {
            state.withLock { state in
                defer { state.toldPace = true }
                return !state.toldPace
            }
        }
    }

    /// How long a source that delivered may be silent before its relay is replaced. A caller that freezes without
    /// closing keeps its listener busy, so that nobody else gets in.
    private static let silence = Duration.seconds(4)
    /// The same for a card: no sender could begin to send again, and most often opening it again helps.
    private static let noPatience = Duration.milliseconds(1)
    /// How often a pipe is looked at whose relay has ended and whose source is ahead of real time.
    private static let restInterval = Duration.milliseconds(50)

    /// - Parameters:
    ///   - priority: Its position among the channel's sources.
    ///   - delivers: Called when the source delivers, or does so no more.
    ///   - onAir: Called when it takes the air.
    ///   - changed: Called when it is on air and goes on with another size or frame rate.
    init(
        _ source: SourceConfiguration, priority: Int, of channel: ChannelConfiguration, context: ServiceContext,
        dataPath: DataPath,
        delivers: @escaping @Sendable (Bool) -> Void, onAir: @escaping @Sendable (VideoFormat?) -> Void,
        changed: @escaping @Sendable (VideoFormat?) -> Void
    ) {
        self.source = source
        let logger = context.logger(["channel": "\(channel.name)", "source": "\(source.id)"])
        self.logger = logger
        let shared = Shared(Commands.Transcoding(for: channel))
        self.shared = shared
        let statistics = context.registry.source(source.id, of: channel.name)
        self.statistics = statistics
        let id = "\(channel.name)/\(source.id)"
        let card: CaptureSourceDriver?
        if case .capture(let capture) = source.kind {
            let deinterlacing = Commands.Transcoding(for: channel).deinterlacing
            card = CaptureSourceDriver(
                capture, id: id, deinterlacing: deinterlacing, context: context, statistics: statistics, logger: logger)
        } else {
            card = nil
        }
        self.card = card
        let frames: FrameRelay?
        if case .raw(let raw) = source.kind {
            frames = FrameRelay(raw, disk: context.disk, statistics: statistics, logger: logger)
        } else {
            frames = nil
        }
        self.frames = frames
        let publisher: PublisherPort?
        if case .rtmp(let rtmp) = source.kind {
            publisher = PublisherPort(rtmp, context: context, statistics: statistics, logger: logger)
        } else {
            publisher = nil
        }
        self.publisher = publisher
        let caller = CallerCheck(source.kind, logger: logger)
        self.caller = caller
        let call = caller.map { _ in CallRelay(logger: logger) }
        let watch = StreamWatch(
            program: source.program, isFlattened: source.hidesPrograms, measures: source.isDescribed,
            statistics: statistics,
            logger: logger)
        self.watch = watch
        // A caller stays while another process reads what it sends.
        let replace = { @Sendable () -> Void in
            if let call { call.replaceReader() } else { shared.state.withLock { $0.process }?.report(.replace) }
        }
        let report = SourceRunner.makeReport(
            shared: shared, card: card, frames: frames, publisher: publisher, caller: caller, watch: watch,
            replace: replace, pacing: source.kind.pacing, statistics: statistics, logger: logger, delivers: delivers,
            onAir: onAir, changed: changed)
        let place = Place(
            channel: channel, priority: priority, id: id, certificate: CertificateQuestion(source.kind),
            context: context,
            dataPath: dataPath, statistics: statistics, logger: logger, report: report,
            monitor: ChildMonitor(context: context, logger: logger))
        self.place = place
        let policy: RestartPolicy = if case .pull = source.kind { .pull } else { .relay }
        process = ProcessRunner(
            machine: ProcessMachine(policy: policy, stallPatience: card == nil ? Self.silence : Self.noPatience),
            statistics: statistics,
            changed: { actual in
                logger.debug("source is \(actual)")
            },
            live: { child in
                do {
                    if let card {
                        try await Self.live(
                            on: card, in: place, child: child, process: shared.state.withLock { $0.process })
                    } else if let frames {
                        try await Self.live(on: frames, in: place, child: child)
                    } else if let publisher {
                        try await Self.live(on: publisher, in: place, shared: shared, child: child)
                    } else if let caller, let call {
                        try await Self.live(
                            on: call, of: caller, source, in: place, shared: shared, watch: watch, child: child)
                    } else {
                        let source = try await context.secretReader.filled(source)
                        let ending = try await Self.relay(
                            nil, child, in: place, shared: shared, watch: watch, replace: replace
                        ) { transcoding, streams in
                            try Commands.relay(
                                source, mezzanine: channel.mezzanine, transcoding: transcoding, streams: streams,
                                transport: shared.transport.withLock { $0.next }, ffmpeg: context.ffmpeg.capabilities,
                                environment: context.environment)
                        }
                        guard let (exit, started) = ending else { return }
                        let hasDelivered = exit.asked || statistics.now.liveSince != nil
                        shared.transport.withLock { $0.ended(exit.log, hasDelivered: hasDelivered) }
                        let isComplete = exit.cause == .ended && source.kind.comesToAnEnd
                        if isComplete { shared.state.withLock { $0.process }?.report(.complete) }
                        statistics.ended(exit, started: started, isComplete: isComplete)
                    }
                } catch {
                    // A stop may have kept its secret from being read.
                    if !Task.isCancelled {
                        statistics.couldNotStart("\(error)")
                        place.monitor.log(.error, "cannot run: \(error)")
                    }
                }
                delivers(false)
            })
        shared.state.withLock { $0.process = process }
    }

    /// Where a source delivers to, and what it needs for that.
    private struct Place: Sendable {
        let channel: ChannelConfiguration
        let priority: Int
        /// Among those who ask for encoders.
        let id: String
        /// For a source that is reached by TLS.
        let certificate: CertificateQuestion?
        let context: ServiceContext
        let dataPath: DataPath
        let statistics: ProcessStatistics
        let logger: Logger
        let report: @Sendable (SourceEvent) -> Void
        let monitor: ChildMonitor

        /// Bits a second of a picture that is encoded on the way in, by the former rate and by the one measured last.
        func bitrates(_ transcoding: Commands.Transcoding, former: Int) -> (before: Int, now: Int) {
            var before = transcoding
            before.measured = former
            return (channel.mezzanine.relayBitrate(for: before), channel.mezzanine.relayBitrate(for: transcoding))
        }

        /// The encoder of frames.
        func encoder(of frames: DataPath.Attachment, size: FrameSize, rate: FrameRate?) -> MezzanineRunner {
            MezzanineRunner(
                id, of: frames, size: size, rate: rate, mezzanine: channel.mezzanine, context: context,
                dataPath: dataPath,
                statistics: statistics, logger: logger)
        }
    }

    /// Runs a relay that lists its streams, until its input ends or another one is to go on.
    ///
    /// - Parameters:
    ///   - input: Its standard input, which is closed whatever happens; `nil` for none.
    ///   - replace: Has another relay follow.
    ///   - begins: Called when the feed is about to take what it gives.
    ///   - command: The command for what is to be encoded, and for the streams to take.
    /// - Returns: How it ended, and when it was started; `nil` where there is no command.
    private static func relay(
        _ input: FileDescriptor?, _ child: ChildHandle, in place: Place, shared: Shared,
        watch: StreamWatch, replace: @escaping @Sendable () -> Void, begins: () -> Void = {},
        command: (Commands.Transcoding, StreamMap) throws -> FFmpegCommand?
    ) async throws -> (ChildExit, Timestamp)? {
        var input = input
        defer { try? input?.close() }
        let transcoding = shared.begins(watch, sound: await place.dataPath.audioFormat(of: place.channel.name))
        let streams = watch.begin(isCopying: !transcoding.video)
        guard let command = try command(transcoding, streams) else { return nil }
        let (attachment, output) = try await place.dataPath.attachSource(
            to: place.channel.name, priority: place.priority, report: place.report)
        watch.encodes(transcoding, bitrate: place.channel.mezzanine.relayBitrate(for: transcoding))
        if let sound = transcoding.otherAudio {
            place.statistics.note(.sound, SourceNote.otherSound(sound, rate: transcoding.audioRate))
        }
        begins()
        let started = Timestamp.now
        // From here on it is the child's.
        let given = input
        input = nil
        let exit = await place.monitor.run(
            command, input: given, output: output, child: child, expected: [.ended, .reset],
            certificate: place.certificate,
            takes: { line in
                place.statistics.countDrops(in: line)
                if place.certificate != nil, PlainRedirect.isTold(by: line) { child.stop(.now, for: .unencrypted) }
                if watch.hears(line) { replace() }
                return false
            },
            progressed: { watch.progressed($0) })
        watch.ended()
        // The rest of a source that is ahead of real time takes its time, unless the source is to go.
        while child.requested == nil, await place.dataPath.drain(attachment) {
            guard (try? await ContinuousClock().sleep(for: Self.restInterval)) != nil else { break }
        }
        await place.dataPath.detach(attachment)
        return (exit, started)
    }

    /// Runs a card's reader, and the encoder of what it reads, until the reader has ended. Both start at once.
    private static func live(on card: CaptureSourceDriver, in place: Place, child: ChildHandle, process: ProcessRunner?)
        async throws
    {
        let sound = await place.dataPath.audioFormat(of: place.channel.name) ?? .stereo48
        let reading = try await card.reading(soundRate: sound.sampleRate)
        let frames = try await place.dataPath.attachFrames(
            reading.layout, from: .card(hasAudio: reading.hasSound), to: place.channel.name, priority: place.priority,
            isNew: card.takesNewCard(),
            patience: card.patience, report: place.report)
        let encoder = place.encoder(of: frames.attachment, size: reading.size, rate: reading.rate)
        async let encoding: Void = encoder.run()
        let started = Timestamp.now
        let exit = await place.monitor.run(
            reading.command, input: frames.audio, output: frames.video, child: child, expected: [.ended, .reset],
            says: { line in if let process { card.hears(line, process) } })
        // What it gave still comes out.
        encoder.finish()
        await encoding
        await place.dataPath.detach(frames.attachment)
        place.statistics.ended(exit, started: started)
        if let process { card.ended(exit, process) }
    }

    /// Takes frames from a FIFO, and runs their encoder, until it is to end.
    private static func live(on fifo: FrameRelay, in place: Place, child: ChildHandle) async throws {
        let frames = try await place.dataPath.attachFrames(
            fifo.layout, from: try await fifo.origin(), to: place.channel.name, priority: place.priority,
            report: place.report)
        let encoder = place.encoder(of: frames.attachment, size: fifo.size, rate: fifo.rate)
        async let encoding: Void = encoder.run()
        await child.untilAsked()
        await place.dataPath.endFrames(of: frames.attachment)
        encoder.finish()
        await encoding
        await place.dataPath.detach(frames.attachment)
    }

    /// Takes what the publisher sends, until that has gone or is to go. A process converts its audio where that has to
    /// be.
    private static func live(
        on port: PublisherPort, in place: Place, shared: Shared, child: ChildHandle
    ) async throws {
        guard let stream = await port.stream() else {
            // That it has gone is about to be told.
            return await child.untilAsked()
        }
        let sound = AudioConverterRunner(
            of: place.channel.name, context: place.context, dataPath: place.dataPath, statistics: place.statistics,
            logger: place.logger, limit: { shared.notesForeignAudio() })
        let attachment = try await place.dataPath.attachSource(
            to: place.channel.name, priority: place.priority,
            report: { event in
                if case .foreignAudio(let audio) = event { return sound.comes(audio) }
                // Its pipes are closed, and that it ends because of that is no failure.
                if event == .ended { sound.finish() }
                place.report(event)
            },
            makeReader: { owner, loop in stream.makeReader(for: owner, on: loop) })
        async let converting: Void = sound.run(of: attachment)
        await child.untilAsked()
        sound.finish()
        await converting
        await place.dataPath.detach(attachment)
    }

    /// Waits for an SRT caller, and passes on what it sends until it has gone.
    private static func live(
        on call: CallRelay, of caller: CallerCheck, _ source: SourceConfiguration, in place: Place, shared: Shared,
        watch: StreamWatch,
        child: ChildHandle
    ) async throws {
        try await caller.readStreamID(place.context.secretReader)
        let source = try await place.context.secretReader.filled(source)
        let (process, isNarrow) = shared.state.withLock { state in
            // Nothing is known of a caller that has not come.
            state.transcoding = Commands.Transcoding(for: place.channel)
            return (state.process, state.isNarrow)
        }
        watch.forget()
        guard
            let command = try Commands.relay(
                source, mezzanine: place.channel.mezzanine, transcoding: Commands.Transcoding(), isNarrow: isNarrow,
                ffmpeg: place.context.ffmpeg.capabilities, environment: place.context.environment)
        else { return }
        caller.begin()
        defer {
            place.statistics.hasSender(false)
            if place.statistics.now.notes[.sender] == Self.awaited { place.statistics.note(.sender, nil) }
        }
        let started = Timestamp.now
        let exit = try await call.run(
            call: { output, admit in
                await place.monitor.run(
                    command, input: nil, output: output, child: child, expected: [.ended, .reset],
                    takes: { line in
                        place.statistics.countDrops(in: line)
                        if SRTCaller.isOver(line) {
                            Task {
                                // Until the caller has been told.
                                try? await ContinuousClock().sleep(for: .milliseconds(100))
                                child.stop(.now)
                            }
                        }
                        switch caller.hears(line) {
                        case .right:
                            place.statistics.hasSender(true)
                            place.statistics.note(.sender, Self.awaited)
                            admit()
                        case .wrong: process?.report(.replace)
                        case nil:
                            if StreamWatch.isOfNewStream(line) {
                                place.logger.notice(
                                    """
                                    the caller sends other streams than before; with a passphrase they are read \
                                    from its next call on
                                    """
                                )
                            }
                        }
                        return caller.hasRefused
                    },
                    progressed: { progress in
                        guard let former = watch.callProgressed(progress) else { return }
                        let (before, now) = place.bitrates(shared.transcoding(watch), former: former)
                        guard before != now else { return }
                        place.logger.notice(
                            "the call comes at another rate: its picture is encoded by that from now on",
                            metadata: ["before": "\(before)", "now": "\(now)"])
                        call.replaceReader()
                    })
            },
            hangUp: { process?.report(.replace) },
            read: { reader, input in
                try await Self.read(
                    input, reader, of: call, caller, source, in: place, shared: shared, watch: watch, process: process)
            })
        watch.disconnected()
        place.statistics.ended(exit, started: started)
        // A stream of which nothing is known yet keeps the others from being passed on.
        if exit.cause == .invalidData, shared.becomesNarrow() {
            place.logger.notice(
                """
                not every stream of the caller can be passed on: from its next call on the first video and the \
                first audio are taken
                """
            )
        }
        if let pause = caller.end() { try? await ContinuousClock().sleep(for: pause) }
    }

    private static let awaited = "a caller is connected, and no picture has come of it yet"

    /// Makes of what a caller sends what the feed takes, until its input ends or another process is to do that.
    private static func read(
        _ input: FileDescriptor, _ reader: ChildHandle, of call: CallRelay, _ caller: CallerCheck,
        _ source: SourceConfiguration, in place: Place,
        shared: Shared, watch: StreamWatch, process: ProcessRunner?
    ) async throws -> ChildExit {
        let ending = try await relay(
            input, reader, in: place, shared: shared, watch: watch, replace: { call.replaceReader() },
            begins: {
                let relay = caller.expectPicture()
                Task {
                    guard await caller.isMute(relay) else { return }
                    place.statistics.note(
                        .sender,
                        "the last caller sent no picture, and was hung up on; it has to send MPEG-TS with a picture")
                    process?.report(.replace)
                }
            },
            command: { transcoding, streams in
                try Commands.callRelay(
                    source, mezzanine: place.channel.mezzanine, transcoding: transcoding, streams: streams,
                    ffmpeg: place.context.ffmpeg.capabilities)
            })
        guard let (exit, started) = ending else { throw NotRunnable(what: "\(source.id) has no callers") }
        // The end of the call is told by the process that had it.
        if let cause = exit.cause, cause != .ended { place.statistics.encoderEnded(exit, started: started) }
        return exit
    }

    func run() async {
        card?.begin(process)
        defer {
            card?.end()
            place.context.encoders.forget(place.id)
        }
        guard let publisher else { return await process.run() }
        await withDiscardingTaskGroup { group in
            group.addTask { [process] in await publisher.run(process) }
            await process.run()
            group.cancelAll()
        }
    }

    func want(_ wanted: Bool) {
        if let card {
            card.want(wanted, process)
        } else if let publisher {
            publisher.want(wanted, process)
        } else {
            process.report(.want(wanted))
        }
    }

    func finish() {
        process.finish()
        publisher?.finish()
    }

    /// Reads the secrets again that let others in.
    func reloadSecrets() async {
        await publisher?.reloadKey()
        await caller?.reloadStreamID(place.context.secretReader)
    }

    /// How many were turned away, by reason; `nil` where nobody comes.
    var refusals: [String: Int]? { publisher?.refusals ?? caller?.refusals }

    private static func makeReport(
        shared: Shared, card: CaptureSourceDriver?, frames: FrameRelay?, publisher: PublisherPort?,
        caller: CallerCheck?,
        watch: StreamWatch,
        replace: @escaping @Sendable () -> Void, pacing: Pacing, statistics: ProcessStatistics, logger: Logger,
        delivers: @escaping @Sendable (Bool) -> Void, onAir: @escaping @Sendable (VideoFormat?) -> Void,
        changed: @escaping @Sendable (VideoFormat?) -> Void
    ) -> @Sendable (SourceEvent) -> Void {
        { event in
            let process = shared.state.withLock { $0.process }
            switch event {
            case .program(let program):
                let (before, now) = shared.state.withLock { state in
                    let before = state.transcoding
                    if program.video == nil, program.hasForeignVideo { state.transcoding.video = true }
                    if program.hasForeignAudio { state.transcoding.audio = true }
                    return (before, state.transcoding)
                }
                guard now != before else { return }
                logger.notice("the source's codec cannot be carried as it is: the relay encodes it from now on")
                // Its rate follows that of what comes, which shows in a moment.
                if now.video, !before.video, watch.measures { watch.whenMeasured(replace) } else { replace() }
            case .delivering(let format):
                statistics.shows(format)
                card?.delivers()
                frames?.isSilent(false)
                publisher?.delivers()
                caller?.delivers()
                if caller != nil { statistics.note(.sender, nil) }
                logger.info("delivers", metadata: format.map { ["video": "\($0)"] } ?? [:])
                process?.report(.delivering)
                delivers(true)
            case .changed(let format):
                statistics.shows(format)
                if let unsaid = shared.notesChange() {
                    var metadata: Logger.Metadata = format.map { ["video": "\($0)"] } ?? [:]
                    if unsaid > 0 { metadata["unsaid"] = "\(unsaid)" }
                    logger.info("goes on in another format", metadata: metadata)
                }
                if statistics.now.isOnAir { changed(format) }
            case .onAir(let format):
                statistics.isOnAir(true)
                logger.notice("on air")
                onAir(format)
            case .offAir:
                statistics.isOnAir(false)
                logger.info("off air")
            case .stalled:
                card?.froze()
                frames?.isSilent(true)
                logger.warning("silent: no picture comes")
                // A publisher may send again; likewise a program that writes frames.
                if let publisher { publisher.stalled() } else if frames == nil { process?.report(.stalled) }
                delivers(false)
            case .ahead(let isAhead):
                statistics.note(.pace, isAhead ? pacing.note : nil)
                if isAhead { logger.log(level: shared.isTooFast() ? pacing.level : .debug, "\(pacing.note)") }
            // That of a publisher is told to what converts it, and others have none.
            case .foreignAudio: break
            case .otherAudioFormat(let sound, let channel):
                if let card {
                    // It makes the sound itself, before anything has come of it.
                    if let process { card.giveSound(at: channel.sampleRate, process) }
                    return
                }
                guard shared.state.withLock({ $0.transcoding.convertAudio(sound, to: channel) }) else { return }
                if let unsaid = shared.notesOtherSound() {
                    var metadata: Logger.Metadata = ["sound": "\(sound.profile) at \(sound)", "channel": "\(channel)"]
                    if unsaid > 0 { metadata["unsaid"] = "\(unsaid)" }
                    logger.notice(
                        "the source's sound is not in the channel's format: it is converted from now on",
                        metadata: metadata)
                }
                replace()
            case .lateAudio(let lag):
                // How far it is may change; that it is so is told once.
                let isNews = statistics.now.notes[.lateSound] == nil
                let text = lag.map { SourceNote.lateSound($0) }
                statistics.note(.lateSound, text)
                guard isNews, let text, let unsaid = shared.notesLateSound() else { return }
                logger.warning("\(text)", metadata: unsaid > 0 ? ["unsaid": "\(unsaid)"] : [:])
            case .lost(let count):
                logger.error(
                    "frames that had come are lost, for no encoder took them in time", metadata: ["frames": "\(count)"])
            case .unreadable(let problem):
                logger.error("\(problem)")
            case .ended:
                statistics.isOnAir(false)
                statistics.isSilent(false)
                for note in [SourceNote.pace, .sound] { statistics.note(note, nil) }
                logger.info("ended")
                delivers(false)
            }
        }
    }
}

/// What becomes of a source that comes faster than real time.
private enum Pacing {
    /// It is read more slowly, and gives the rest later.
    case read
    /// It has to be told.
    case sent

    var note: String {
        switch self {
        case .read:
            "it comes faster than real time, as a file or a playlist does: it is read in real time,"
                + " and nothing has to be done"
        case .sent:
            "it sends faster than real time and is held back, and what it cannot keep is lost: have it send in real"
                + " time (ffmpeg: -re before -i)"
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
    /// It may be a file, which ends and starts over.
    fileprivate var comesToAnEnd: Bool {
        switch self {
        case .pull(let pull): pull.url.lowercased().hasPrefix("http")
        case .file: true
        case .rtmp, .srt, .capture, .raw, .test: false
        }
    }

    fileprivate var pacing: Pacing {
        switch self {
        case .pull(let pull): pull.url.lowercased().hasPrefix("http") ? .read : .sent
        case .file, .test: .read
        case .rtmp, .srt, .capture, .raw: .sent
        }
    }
}

extension ProcessStatistics {
    /// Counts the packets that SRT gave up, where a line tells of them.
    fileprivate func countDrops(in line: LogLine) {
        let dropped = SRTDrops.packets(in: line)
        if dropped > 0 { self.dropped(packets: dropped) }
    }
}
