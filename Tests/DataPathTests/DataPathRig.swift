import MPEGTS
import SystemPackage
import TestSupport

@testable import DataPath

/// A data path with one channel, `main`, and the ends of its pipes. There is no FFmpeg at the other ends.
struct DataPathRig {
    let path: DataPath
    /// The long defaults allow for a busy machine that pauses between two steps of a test.
    ///
    /// - Parameter mostAhead: How far a source may be ahead of real time: tests write their streams at once.
    init(
        limits: Feed.Limits = Feed.Limits(), patience: Duration = .seconds(600),
        tapPatience: Duration = .seconds(600), mostAhead: Duration = .seconds(3600)
    ) async {
        path = DataPath(limits: limits, tapPatience: tapPatience, mostAhead: mostAhead)
        await path.addChannel("main", patience: patience, changePatience: .seconds(600))
        await path.start()
    }

    func source(_ priority: Int = 0) async throws -> (DataPath.Attachment, Writer, Reports<SourceEvent>) {
        let reports = Reports<SourceEvent>()
        let (attachment, end) = try await path.attachSource(to: "main", priority: priority) { reports.add($0) }
        return (attachment, Writer(end), reports)
    }

    func publisher(
        _ feed: DataPath.FeedName = .channel("main"), isPaced: Bool = true
    ) async throws -> (DataPath.Attachment, Reader, Reports<PublisherEvent>) {
        let reports = Reports<PublisherEvent>()
        let (attachment, end) = try await path.attachPublisher(to: feed, isPaced: isPaced) { reports.add($0) }
        return (attachment, Reader(end), reports)
    }

    /// Waits until a reader has everything.
    func catchUp(_ attachment: DataPath.Attachment) async throws {
        try await eventually("a reader to have everything", within: .seconds(20), every: .milliseconds(5)) {
            await path.figures(of: attachment)?.lag == 0
        }
    }

    /// Waits until a reader has everything, and ends its input.
    func finish(_ attachment: DataPath.Attachment) async throws {
        try await catchUp(attachment)
        await path.endInput(of: attachment)
    }

    /// Writes in pieces, as a live source does, so that the reader begins at the first keyframe. Each piece waits
    /// until the data path has read the one before and, where there is a reader, written it.
    func write(_ bytes: some Collection<UInt8>, to writer: Writer, paceOf attachment: DataPath.Attachment? = nil)
        async throws
    {
        let bytes = Array(bytes)
        let piece = 7 * TransportBytes.packetSize
        for start in stride(from: 0, to: bytes.count, by: piece) {
            await writer.write(bytes[start..<min(bytes.count, start + piece)])
            try await eventually("the data path to follow", within: .seconds(20), every: .milliseconds(1)) {
                guard writer.waiting == 0 else { return false }
                guard let attachment else { return true }
                return await path.figures(of: attachment)?.lag == 0
            }
        }
    }
}

/// Makes a stream of numbered frames.
func numberedStream(
    from number: UInt32 = 0, seconds: Double = 2, gop: Int = 10, busy: Bool = false, bFrames: Int = 0
) async throws -> [UInt8] {
    try await NumberedSource.with {
        $0.width = 320
        $0.height = 180
        $0.firstNumber = number
        $0.duration = .seconds(seconds)
        $0.gop = gop
        $0.picture = busy ? .busy : .plain
        $0.bitrate = busy ? 2500 : 400
        $0.bFrames = bFrames
    }.bytes()
}

/// Returns the timestamps on the wire that do not increase, per stream.
func backwards(_ bytes: [UInt8]) -> [TransportBytes.Timestamp] {
    var newest: [Int: UInt64] = [:]
    return TransportBytes.timestamps(bytes).filter { time in
        defer { newest[time.pid] = time.dts }
        return newest[time.pid].map { time.dts <= $0 } ?? false
    }
}
