import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import Logging
import MediaTypes
import RTMPIngest
import Synchronization

/// What a source has to do with the FIFO that another program writes frames to.
final class FrameRelay: Sendable {
    private let source: RawSource
    private let statistics: ProcessStatistics
    private let logger: Logger
    private let disk: Disk

    init(_ source: RawSource, disk: Disk, statistics: ProcessStatistics, logger: Logger) {
        self.source = source
        self.disk = disk
        self.statistics = statistics
        self.logger = logger
    }

    var size: FrameSize { source.size }
    var rate: FrameRate { source.rate }
    var layout: FrameLayout { FrameLayout(source.pixels, source.size) }

    /// Where frames come from. The FIFO is made where there is none, for whoever may write to its folder's group.
    ///
    /// - Throws: ``NotRunnable`` when it cannot be had.
    func origin() async throws -> DataPath.FrameOrigin {
        let path = source.path
        if let problem = await disk.makeFIFO(path) { throw NotRunnable(what: problem) }
        return .fifo(path: path) { [logger, reports = Reports()] event in reports.tell(event, logger) }
    }

    /// Its writer writes, or does so no more; the FIFO stays open for the next.
    func isSilent(_ isSilent: Bool) { statistics.isSilent(isSilent) }
}

extension FrameLayout {
    init(_ pixels: PixelFormat, _ size: FrameSize) {
        self.init(width: size.width, height: size.height, tag: pixels.tag, byteCount: pixels.bytes(of: size))
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

    func tell(_ event: FIFOEvent, _ logger: Logger) {
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
            logger.warning(
                "the program that wrote frames has gone in the middle of one; it is filled up",
                metadata: ["missing": "\(missing) bytes"])
        }
    }
}

extension PixelFormat {
    /// The letters that FFmpeg knows it by in a file's header.
    fileprivate var tag: UInt32 {
        switch self {
        case .bgra: Self.tag("BGRA")
        case .rgba: Self.tag("RGBA")
        case .argb: Self.tag("ARGB")
        case .abgr: Self.tag("ABGR")
        case .bgr0: Self.tag("BGR\0")
        case .rgb0: Self.tag("RGB\0")
        case .bgr24: Self.tag("BGR\u{18}")
        case .rgb24: Self.tag("RGB\u{18}")
        case .nv12: Self.tag("NV12")
        case .yuv420p: Self.tag("I420")
        case .yuyv422: Self.tag("YUY2")
        case .uyvy422: Self.tag("UYVY")
        }
    }

    private static func tag(_ letters: String) -> UInt32 { letters.utf8.reversed().reduce(0) { $0 << 8 | UInt32($1) } }

    /// Bytes of one frame.
    func bytes(of size: FrameSize) -> Int {
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
