import Configuration
import DataPath
import FFmpeg
import Logging
import Synchronization
import SystemPackage
import TransportStream

/// One source of a channel: its relay, started again whenever it ends.
final class SourceRunner: Runnable {
    let source: SourceConfiguration
    let ledger: ProcessLedger
    private let process: ProcessRunner
    private let shared: Shared
    private let logger: Logger
    /// For a capture card.
    private let card: CardRelay?
    /// For frames of another program.
    private let frames: FrameRelay?

    /// What the relay's events and its next start share.
    private final class Shared: Sendable {
        let state: Mutex<(transcoding: Commands.Transcoding, process: ProcessRunner?)>

        init(_ transcoding: Commands.Transcoding) {
            state = Mutex((transcoding: transcoding, process: nil))
        }
    }

    /// How long a source that delivered may be silent before its relay is replaced. A publisher that freezes without
    /// closing keeps its listener busy, so that nobody else gets in.
    private static let silence = Duration.seconds(4)
    /// The same for a card: it has nobody who could begin to send again, and most often opening it anew helps.
    private static let cardSilence = Duration.milliseconds(1)

    /// - Parameters:
    ///   - priority: Its position among the channel's sources.
    ///   - delivers: Called when the source delivers, or does so no more.
    ///   - onAir: Called when it takes the air.
    init(
        _ source: SourceConfiguration, priority: Int, of channel: ChannelConfiguration, box: Box, dataPath: DataPath,
        delivers: @escaping @Sendable (Bool) -> Void, onAir: @escaping @Sendable (VideoFormat?) -> Void
    ) {
        self.source = source
        let logger = box.logger(["channel": "\(channel.name)", "source": "\(source.id)"])
        self.logger = logger
        let life = Life(box: box, logger: logger)
        let shared = Shared(Commands.Transcoding(for: channel))
        self.shared = shared
        let ledger = box.ledgers.source(source.id, of: channel.name)
        self.ledger = ledger
        let id = "\(channel.name)/\(source.id)"
        let card: CardRelay?
        if case .capture(let capture) = source.kind {
            card = CardRelay(capture, id: id, mezzanine: channel.mezzanine, box: box, ledger: ledger, logger: logger)
        } else {
            card = nil
        }
        self.card = card
        let frames: FrameRelay?
        if case .raw(let raw) = source.kind {
            frames = FrameRelay(raw, id: id, mezzanine: channel.mezzanine, box: box, ledger: ledger, logger: logger)
        } else {
            frames = nil
        }
        self.frames = frames
        let report = SourceRunner.makeReport(shared: shared, card: card, frames: frames, ledger: ledger, logger: logger, delivers: delivers, onAir: onAir)
        process = ProcessRunner(
            machine: ProcessMachine(policy: .relay, stallPatience: card == nil ? Self.silence : Self.cardSilence), ledger: ledger,
            changed: { actual in
                logger.debug("source is \(actual)")
            },
            live: { child in
                var input: FileDescriptor?
                let process = shared.state.withLock { $0.process }
                do {
                    let command: FFmpegCommand
                    if let card {
                        command = try await card.command(source, environment: box.environment, process)
                    } else if let frames {
                        (command, input) = try await frames.command(source, environment: box.environment, process)
                    } else {
                        command = try Commands.relay(
                            source, mezzanine: channel.mezzanine, transcoding: shared.state.withLock { $0.transcoding },
                            environment: box.environment)
                    }
                    let (attachment, output) = try await dataPath.attachSource(
                        to: channel.name, priority: priority, isNew: card?.takesNewCard() ?? false, patience: card?.patience, report: report)
                    let started = Timestamp.now
                    // From here on it is the child's.
                    let given = input
                    input = nil
                    let exit = await life.run(
                        command, input: given, output: output, child: child, expected: [.ended, .reset],
                        says: { line in if let card, let process { card.hears(line, process) } })
                    await dataPath.detach(attachment)
                    ledger.ended(exit, started: started)
                    if let process { card?.ended(exit, process) }
                    frames?.ended(exit.cause)
                } catch {
                    try? input?.close()
                    ledger.couldNotStart("\(error)")
                    logger.error("cannot run: \(error)")
                }
                delivers(false)
            })
        shared.state.withLock { $0.process = process }
    }

    func run() async {
        card?.begin(process)
        defer {
            card?.end()
            frames?.end()
        }
        guard case .rtmp(let rtmp) = source.kind else { return await process.run() }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watchListener(rtmp.listen.port) }
            await process.run()
            group.cancelAll()
        }
    }

    /// Frees a listener from a peer that connected and says nothing.
    ///
    /// FFmpeg's RTMP listener takes one peer, stops listening, and waits for its handshake for ever.
    private func watchListener(_ port: Int) async {
        var deafLooks = 0
        while await (try? ContinuousClock().sleep(for: Self.lookInterval)) != nil {
            let isDeaf = await process.actual == .starting && !ListeningPorts.contains(port)
            deafLooks = isDeaf ? deafLooks + 1 : 0
            guard deafLooks > Self.patientLooks else { continue }
            logger.warning("a peer connected and sent nothing: it is turned away")
            deafLooks = 0
            process.report(.replace)
        }
    }

    private static let lookInterval = Duration.seconds(3)
    /// Looks that a peer has for its handshake and first picture.
    private static let patientLooks = 3

    func want(_ wanted: Bool) {
        if let card { card.want(wanted, process) } else { process.report(.want(wanted)) }
    }

    func finish() { process.finish() }

    private static func makeReport(
        shared: Shared, card: CardRelay?, frames: FrameRelay?, ledger: ProcessLedger, logger: Logger, delivers: @escaping @Sendable (Bool) -> Void, onAir: @escaping @Sendable (VideoFormat?) -> Void
    ) -> @Sendable (SourceEvent) -> Void {
        { event in
            let process = shared.state.withLock { $0.process }
            switch event {
            case .program(let program):
                let needed = shared.state.withLock { state in
                    let before = state.transcoding
                    if program.video == nil, program.hasForeignVideo { state.transcoding.video = true }
                    if program.hasForeignAudio { state.transcoding.audio = true }
                    return state.transcoding != before
                }
                guard needed else { return }
                logger.notice("the source's codec cannot be carried as it is: the relay encodes it from now on")
                process?.report(.replace)
            case .delivering(let format):
                ledger.shows(format)
                card?.delivers()
                frames?.delivers()
                logger.info("delivers", metadata: format.map { ["video": "\($0)"] } ?? [:])
                process?.report(.delivering)
                delivers(true)
            case .onAir(let format):
                ledger.isOnAir(true)
                logger.notice("on air")
                onAir(format)
            case .offAir:
                ledger.isOnAir(false)
                logger.info("off air")
                card?.isOffAir()
                frames?.isOffAir()
            case .stalled:
                card?.froze()
                frames?.stalled()
                logger.warning("silent: no picture comes")
                process?.report(.stalled)
                delivers(false)
            case .ended:
                ledger.isOnAir(false)
                logger.info("ended")
                delivers(false)
            }
        }
    }
}
