import AllocationCount
import ArgumentParser
import Foundation
import MPEGTS
import TestSupport

/// Measures the cost of a stream through a feed, against one copy of the same bytes.
struct FeedFigures: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feed", abstract: "Parse and fan out of a recorded stream with 1 to 8 readers, against memcpy.")

    @Option(help: "Rounds, each of which measures everything once. The medians are printed.") var rounds = 31
    @Option(help: "Bytes of one read.") var chunk = 64 << 10
    @Option(help: "Seconds of stream.") var seconds = 20

    func run() async throws {
        let source = NumberedSource.with {
            $0.width = 1280
            $0.height = 720
            $0.bitrate = 8000
            $0.picture = .busy
            $0.duration = .seconds(seconds)
        }
        let stream = try await source.bytes()
        print(
            """
            recorded: \(stream.count) bytes, \(stream.count / 188) packets, \
            \(stream.count * 8 / seconds / 1_000_000) Mbit/s, in chunks of \(chunk)
            """
        )

        let most = 8
        let floor = Floor(chunk: chunk)
        let fanOuts = (1...most).map { FanOut(readers: $0, chunk: chunk) }
        // Run each once first, so that buffers and windows have their size.
        floor.pass(stream)
        for fanOut in fanOuts { fanOut.pass(stream) }

        var floorTimes: [Double] = []
        var times = [[Double]](repeating: [], count: most)
        for round in 0..<rounds {
            floorTimes.append(cpuTime { floor.pass(stream) })
            // Each round begins with another reader count, so that none always comes right after the copy.
            for turn in 0..<most {
                let index = (turn + round) % most
                times[index].append(cpuTime { fanOuts[index].pass(stream) })
            }
        }
        let before = allocation_count()
        fanOuts[most - 1].pass(stream)
        let allocations = allocation_count() - before
        // Otherwise the release of the fan-outs would be counted, too.
        withExtendedLifetime(fanOuts) {}

        try report(stream, floorTimes, times, allocations: Int(allocations))
    }

    /// Prints the medians, and fails if they miss the goals.
    ///
    /// - Parameter times: The seconds of each round, by the number of readers less one.
    private func report(_ stream: [UInt8], _ floorTimes: [Double], _ times: [[Double]], allocations: Int) throws {
        let most = times.count
        let copy = median(floorTimes)
        let one = median(times[0])
        let bytes = Double(stream.count)
        print(String(format: "memcpy:            %6.2f GB/s", bytes / copy / 1e9))
        print(
            String(format: "1 reader:          %6.2f GB/s   %.2f times the copy's time", bytes / one / 1e9, one / copy))
        var previous = one
        for readers in 2...most {
            let time = median(times[readers - 1])
            print(
                String(
                    format: "%d readers:         %6.2f GB/s   %+.2f %% of 1 reader for the last one", readers,
                    bytes / time / 1e9, (time - previous) / one * 100))
            previous = time
        }
        let each = (median(times[most - 1]) - one) / one / Double(most - 1) * 100
        print(String(format: "each extra reader: %+.2f %%", each))
        // A segment of the feed is new memory of a quarter of a megabyte; no other allocation is allowed.
        let segments = stream.count / (256 << 10) + 1
        print(
            """
            allocations:       \(allocations) in \(stream.count / 188) packets, \(segments) segments, with \(most) \
            readers
            """
        )
        guard bytes / one >= 1e9, each <= 5, allocations <= 3 * segments else {
            print("wanted: 1 GB/s or more, 5 % or less for each extra reader, no allocation except for segments")
            throw ExitCode.failure
        }
    }

    /// Returns the seconds of processor time that a closure takes in this process.
    private func cpuTime(_ body: () -> Void) -> Double {
        var start = timespec()
        var end = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start)
        body()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end)
        return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) * 1e-9
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

/// The least work of a program that reads a stream: one copy, as `read` makes it.
private final class Floor {
    private let buffer: UnsafeMutableRawBufferPointer
    private let chunk: Int

    init(chunk: Int) {
        self.chunk = chunk
        buffer = .allocate(byteCount: chunk, alignment: 64)
    }

    deinit { buffer.deallocate() }

    func pass(_ stream: [UInt8]) {
        stream.withUnsafeBytes { bytes in
            var given = 0
            while given < bytes.count {
                let end = min(bytes.count, given + chunk)
                memcpy(buffer.baseAddress!, bytes.baseAddress! + given, end - given)
                given = end
            }
        }
    }
}

/// One writer and its readers, as in the daemon. The readers take everything, and read the ends of each piece.
private final class FanOut {
    private var parser = UnitParser()
    private var splicer: Splicer
    private let readers: [FeedReader]
    private let chunk: Int
    private var now: Int64 = 0
    private var seen: UInt8 = 0

    init(readers: Int, chunk: Int) {
        let feed = Feed()
        splicer = Splicer(feed: feed, fillsSilence: true)
        self.readers = (0..<readers).map { _ in feed.makeReader() }
        self.chunk = chunk
    }

    func pass(_ stream: [UInt8]) {
        var writer = Splicer.Writer(.following)
        stream.withUnsafeBytes { bytes in
            var given = 0
            while given < bytes.count {
                let end = min(bytes.count, given + chunk)
                given += parser.append(UnsafeRawBufferPointer(rebasing: bytes[given..<end]))
                while let event = parser.next() {
                    guard case .unit(let unit) = event else { continue }
                    if unit.kind == .video { now += Ticks.perSecond / 30 }
                    _ = splicer.accept(unit, of: &writer, from: parser, now: now)
                }
                for reader in readers {
                    while let piece = reader.next() {
                        seen ^= piece[0] ^ piece[piece.count - 1]
                        reader.consume(piece.count)
                    }
                }
            }
        }
    }
}
