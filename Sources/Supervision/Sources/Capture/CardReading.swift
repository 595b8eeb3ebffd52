import BoxConfiguration
import CapabilityProbe
import DataPath
import EncoderSelection
import FFmpeg
import MediaTypes
import SystemSupport

/// How a card is read: the command of its reader, and the frames that the reader delivers.
struct CardReading {
    var command: FFmpegCommand
    var size: FrameSize
    /// Frames per second that the reader delivers. `nil` if it is not known.
    var rate: FrameRate?
    var hasAudio: Bool

    var format: FrameFormat { FrameFormat(.nv12, FrameSize(width: size.width, height: size.height)) }

    /// How long a source waits for the answer of a driver.
    private static let driverPatience = Duration.seconds(2)

    /// - Parameters:
    ///   - readsAudio: Whether to read the card's audio, if it has some and the configuration asks for it.
    ///   - deinterlacing: How interlaced frames are deinterlaced. `nil` leaves them interlaced.
    ///   - audioRate: Samples per second of the channel's audio.
    init(
        _ source: CaptureSource, _ card: CaptureDevice, _ mode: CaptureSetting, readsAudio: Bool,
        deinterlacing: VideoSettings.Deinterlacing?, audioRate: Int, ffmpeg: FFmpegCapabilities
    ) {
        let input = FFmpegCommands.captureInput(source, card, mode, readsAudio: readsAudio)
        var fields: CardReaderCommand.Fields?
        if let order = mode.fields, let deinterlacing {
            fields = CardReaderCommand.Fields(deinterlacing, isBottomFirst: order == .bottomFirst)
        }
        size = mode.frameSize
        command = CardReaderCommand(card: input, size: size, fields: fields, audioRate: audioRate).command(for: ffmpeg)
        let makesTwo = fields?.deinterlacing == .onePerField && ffmpeg.deinterlacer != nil
        rate = makesTwo ? mode.rate.map { FrameRate(2 * $0.numerator, $0.denominator) } : mode.rate
        self.hasAudio = input.audio != nil
    }

    /// Asks the driver how the card can be read now: its input may be another, and another signal may arrive there,
    /// than when the card was listed.
    ///
    /// - Returns: The mode; `isGone` when the card is being pulled, and no longer lists modes.
    static func mode(of card: CaptureDevice, for source: CaptureSource) async -> (mode: CaptureSetting, isGone: Bool) {
        let ready = await BlockingIO.run(atMost: driverPatience) { [node = card.node] in CardInput.prepare(node) }
            .flatMap { $0 }
        let isGone = ready.map { $0.modes.isEmpty && $0.now == nil } ?? false
        let modes = isGone ? nil : ready?.modes
        var mode = CaptureSetting(modes ?? card.modes, size: source.size, rate: source.rate)
        if let now = ready?.now { mode.fill(from: now) }
        let size = mode.frameSize
        if !isGone, ready != nil {
            mode.fields = await BlockingIO.run(atMost: driverPatience) { [node = card.node] in
                CardInput.fieldOrder(node, width: size.width, height: size.height)
            }.flatMap { $0 }
        }
        return (mode, isGone)
    }
}
