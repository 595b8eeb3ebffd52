import Configuration
import DataPath
import EncoderSelection
import FFmpeg
import Ingest
import Logging
import Synchronization
import SystemPackage

/// What a source has to do with the FIFO that another program writes frames to.
final class FrameRelay: Sendable {
    private let source: RawSource
    private let mezzanine: MezzanineConfiguration
    private let encoder: MezzanineEncoder
    private let logger: Logger
    private let gate = Mutex<FrameGate?>(nil)

    init(_ source: RawSource, id: String, mezzanine: MezzanineConfiguration, box: Box, ledger: ProcessLedger, logger: Logger) {
        self.source = source
        self.mezzanine = mezzanine
        encoder = MezzanineEncoder(id: id, mezzanine: mezzanine, encoders: box.encoders) { ledger.now.isOnAir }
        self.logger = logger
    }

    func end() {
        gate.withLock { $0 }?.close()
        encoder.forget()
    }

    /// The command of the next relay, and its input, which begins with a whole frame.
    ///
    /// - Throws: ``FrameGate/Unusable`` when the FIFO cannot be had.
    func command(
        _ source: SourceConfiguration, environment: [String: String], _ process: ProcessRunner?
    ) async throws -> (FFmpegCommand, FileDescriptor) {
        let gate = try open()
        // Most often it is the writer that gives nothing.
        _ = await encoder.wasAtFault()
        let video = await encoder.next(size: FrameSize(self.source.size), rate: FFmpeg.FrameRate(self.source.rate)) { process?.report(.replace) }
        let command = try Commands.relay(source, mezzanine: mezzanine, transcoding: .init(), video: video, environment: environment)
        return (command, try gate.attach())
    }

    func delivers() { encoder.delivers() }
    func stalled() { encoder.stalled() }
    func isOffAir() { encoder.isOffAir() }
    func ended(_ cause: FailureCause?) { encoder.ended(cause) }

    private func open() throws -> FrameGate {
        try gate.withLock { gate in
            if let gate { return gate }
            let made = try FrameGate(path: source.path, frameSize: source.pixels.bytes(of: source.size)) { [logger, reports = Reports()] event in reports.tell(event, logger) }
            gate = made
            return made
        }
    }
}

/// What is told of writers: whoever can open the FIFO can do so a thousand times a second.
private final class Reports: Sendable {
    private struct State {
        var limit = ReportLimit()
        /// The coming of the writer was told, so its going is.
        var isTold = false
    }

    private let state = Mutex(State())

    func tell(_ event: FrameGate.Event, _ logger: Logger) {
        switch event {
        case .writer:
            let unsaid = state.withLock { state in
                let unsaid = state.limit.note()
                state.isTold = unsaid != nil
                return unsaid
            }
            guard let unsaid else { return }
            logger.notice("a program writes frames", metadata: unsaid > 0 ? ["unsaid": "\(unsaid)"] : [:])
        case .gone(let missing):
            guard state.withLock(\.isTold) else { return }
            guard missing > 0 else { return logger.notice("the program that wrote frames has gone") }
            logger.warning("the program that wrote frames has gone in the middle of one; it is filled up", metadata: ["missing": "\(missing) bytes"])
        }
    }
}

extension PixelFormat {
    /// Bytes of one frame.
    func bytes(of size: PixelSize) -> Int {
        let pixels = size.width * size.height
        let halves = ((size.width + 1) / 2) * ((size.height + 1) / 2)
        return switch self {
        case .bgra, .rgba, .argb, .abgr, .bgr0, .rgb0: pixels * 4
        case .bgr24, .rgb24: pixels * 3
        case .yuyv422, .uyvy422: (size.width + 1) / 2 * 4 * size.height
        case .nv12, .yuv420p: pixels + 2 * halves
        }
    }
}
