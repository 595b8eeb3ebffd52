import Foundation
import StreamboxFrames
import Synchronization
import TestSupport
import Testing

/// The writer of frames, with a reader that comes and goes.
@Suite struct FrameWriterTests {
    /// More bytes than a pipe holds, and not a multiple of its pages.
    private static let size = 2_000_003

    private func write(_ value: UInt8, with writer: inout FrameWriter) throws -> Bool {
        try [UInt8](repeating: value, count: writer.bytesPerFrame).withUnsafeBytes { try writer.write($0) }
    }

    private func read(_ count: Int, from descriptor: CInt) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < count {
            let got = Glibc.read(descriptor, &buffer, min(buffer.count, count - bytes.count))
            // Before the writer opens the FIFO, the read returns no byte.
            if got == 0, bytes.isEmpty {
                usleep(1000)
                continue
            }
            guard got > 0 else { break }
            bytes += buffer[..<got]
        }
        return bytes
    }

    @Test("frames are dropped while there is no FIFO or no reader")
    func noReader() throws {
        let folder = try TemporaryFolder()
        var writer = FrameWriter(path: folder.path("frames"), bytesPerFrame: 100)
        #expect(try !write(1, with: &writer))
        #expect(mkfifo(writer.path, 0o600) == 0)
        #expect(try !write(2, with: &writer))
        let reader = open(writer.path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        #expect(try write(3, with: &writer))
        #expect(read(100, from: reader) == [UInt8](repeating: 3, count: 100))
    }

    @Test("after a reader goes in mid-frame, the next one begins with a whole frame")
    func midFrame() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("frames")
        try #require(mkfifo(path, 0o600) == 0)
        let all = Mutex<[UInt8]?>(nil)
        let (untilGone, unread, afterwards) = try await onOwnThread {
            let first = open(path, O_RDONLY | O_NONBLOCK)
            var writer = FrameWriter(path: path, bytesPerFrame: Self.size)
            // Read in part: the rest does not fit into the pipe.
            Reading(descriptor: first).start(100_000)
            let untilGone = try write(1, with: &writer)
            let unread = try write(2, with: &writer)
            let second = open(path, O_RDONLY | O_NONBLOCK)
            _ = fcntl(second, F_SETFL, 0)
            Thread.detachNewThread {
                let bytes = read(2 * Self.size, from: second)
                close(second)
                all.withLock { $0 = bytes }
            }
            return (untilGone, unread, [try write(3, with: &writer), try write(4, with: &writer)])
        }
        #expect(!untilGone)
        #expect(!unread, "there is no reader")
        #expect(afterwards == [true, true])
        let bytes = try await eventually("the whole of both") { all.withLock { $0 } }
        // Not by the macro alone: it would look for every difference of four million bytes.
        let isWhole = bytes == [UInt8](repeating: 3, count: Self.size) + [UInt8](repeating: 4, count: Self.size)
        #expect(isWhole)
    }

    /// A reader that takes some bytes and goes.
    private struct Reading {
        let descriptor: CInt

        func start(_ count: Int) {
            _ = fcntl(descriptor, F_SETFL, 0)
            Thread.detachNewThread { [descriptor] in
                var buffer = [UInt8](repeating: 0, count: 10_000)
                var left = count
                while left > 0 {
                    let got = Glibc.read(descriptor, &buffer, min(left, buffer.count))
                    // The writer has not opened the FIFO yet.
                    if got == 0 { usleep(1000) }
                    left -= max(0, got)
                }
                close(descriptor)
            }
        }
    }

    @Test("a path that is not a FIFO throws an error that says why")
    func mistakes() throws {
        let folder = try TemporaryFolder()
        for (path, words) in [
            (try folder.write("file", ""), "is not a FIFO"),
            (try folder.write("other", "") + "/frames", "Not a directory"),
        ] {
            var writer = FrameWriter(path: path, bytesPerFrame: 10)
            do {
                _ = try write(0, with: &writer)
                Issue.record("\(path) was written to")
            } catch let error as FrameWriter.WriteError {
                #expect(error.description.contains(path) && error.description.contains(words), "\(error)")
            }
        }
    }
}
