import Configuration
import DataPath
import FFmpeg
import Logging
import Synchronization
import TransportStream

/// One output group that encodes: its encoder, handed over to the next one whenever it ends.
final class GroupRunner: Sendable {
    let group: GroupConfiguration
    private let process: ProcessRunner
    private let shared: Shared

    private final class Shared: Sendable {
        struct State {
            var process: ProcessRunner?
            var attachment: DataPath.Attachment?
            /// What the encoder was told that it would get.
            var arriving: VideoFormat?
            /// The size of the first source, where the configuration names none: a target does not follow another size.
            var size: FrameSize?
        }
        let state = Mutex(State())
    }

    init(_ group: GroupConfiguration, of channel: String, box: Box, dataPath: DataPath) {
        self.group = group
        let logger = box.logger(["channel": "\(channel)", "group": "\(group.name)"])
        let life = Life(box: box, logger: logger)
        let shared = Shared()
        self.shared = shared
        let report: @Sendable (EncoderEvent) -> Void = { event in
            let process = shared.state.withLock { $0.process }
            switch event {
            case .delivering(let format):
                logger.notice("live", metadata: format.map { ["video": "\($0)"] } ?? [:])
                process?.report(.delivering)
            case .stalled:
                logger.warning("the encoder takes pictures and gives none: it is replaced")
                process?.report(.stalled)
            case .superseded, .ended:
                break
            }
        }
        let needsKeyframe = group.video != .copy
        process = ProcessRunner(
            machine: ProcessMachine(policy: .encoder, stallPatience: .zero),
            changed: { logger.debug("encoder is \($0)") },
            endInput: {
                guard let attachment = shared.state.withLock({ $0.attachment }) else { return }
                await dataPath.endInput(of: attachment)
            },
            live: { child in
                do {
                    let place = await dataPath.resumption(of: group.name, in: channel)
                    let size = shared.state.withLock { state in
                        state.arriving = place.videoFormat
                        state.size = state.size ?? place.videoFormat.map { FrameSize(width: $0.width, height: $0.height) }
                        return state.size
                    }
                    let command = Commands.encoder(group, format: place.videoFormat, size: size, resume: ResumePoint(place))
                    let (attachment, input, output) = try await dataPath.attachEncoder(
                        to: group.name, in: channel, needsKeyframe: needsKeyframe, report: report)
                    shared.state.withLock { $0.attachment = attachment }
                    _ = await life.run(command, input: input, output: output, child: child, expected: [.ended])
                    await dataPath.detach(attachment)
                } catch {
                    logger.error("cannot run: \(error)")
                }
            })
        shared.state.withLock { $0.process = process }
    }

    func run() async { await process.run() }
    func want(_ wanted: Bool) { process.report(.want(wanted)) }
    func finish() async { await process.finish() }

    /// The source on air sends this. An encoder that was made for another frame rate is replaced.
    func arriving(_ format: VideoFormat?) {
        guard let format, group.video != .copy else { return }
        let isOther = shared.state.withLock { state in
            guard let known = state.arriving?.frameRate, let now = format.frameRate else { return false }
            return known != now
        }
        if isOther { process.report(.replace) }
    }
}

extension ResumePoint {
    init?(_ place: DataPath.Resumption) {
        guard let video = place.video else { return nil }
        self.init(videoStart: video, audioStart: place.audio ?? video)
    }
}
