import Foundation
import Synchronization
import SystemPackage
import TestSupport

/// The other end of a pipe or socket that the data path writes to. It reads nothing until it is started.
final class Reader: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var hasEnded = false
    }
    private let descriptor: CInt
    private let state = Mutex(State())

    /// - Parameter descriptor: owned by the reader.
    init(_ descriptor: FileDescriptor) { self.descriptor = descriptor.rawValue }

    /// Connects to a tap.
    convenience init(port: Int) throws { self.init(FileDescriptor(rawValue: try connect(port: port))) }

    deinit { close(descriptor) }

    /// Starts a thread that reads to the end.
    @discardableResult
    func start() -> Self {
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                state.withLock {
                    if count > 0 { $0.bytes += buffer[..<count] } else { $0.hasEnded = true }
                }
                guard count > 0 else { return }
            }
        }
        return self
    }

    var bytes: [UInt8] { state.withLock(\.bytes) }
    var hasEnded: Bool { state.withLock(\.hasEnded) }

    /// The other side has closed, although not everything was read.
    var isDropped: Bool {
        var end = pollfd(fd: descriptor, events: 0x2000, revents: 0)
        return poll(&end, 1, 0) > 0 && end.revents & 0x2018 != 0
    }

    /// Closes a tap's connection.
    func hangUp() { shutdown(descriptor, CInt(SHUT_RDWR)) }

    /// Waits for the end of the stream, and returns all of it.
    func all(within limit: Duration = .seconds(20)) async throws -> [UInt8] {
        try await eventually("the end of a stream", within: limit) { hasEnded }
        return bytes
    }

    /// Waits for the end of the stream, and decodes all of it.
    func frames() async throws -> FrameReader.Reading {
        try await FrameReader.read(.bytes(try await all()), options: ["-f", "mpegts"])
    }
}

/// Reads to the end, as a program does that sends each read as a datagram. It pauses when nothing is left to read.
///
/// - Parameter descriptor: Closed at the end.
func readDatagrams(of size: Int, from descriptor: FileDescriptor, pause: Duration) async -> [[UInt8]] {
    await onOwnThread {
        let end = descriptor.rawValue
        defer { close(end) }
        _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
        var datagrams: [[UInt8]] = []
        var buffer = [UInt8](repeating: 0, count: size)
        while true {
            let count = read(end, &buffer, size)
            if count > 0 {
                datagrams.append(Array(buffer[..<count]))
            } else if count == 0 {
                return datagrams
            } else if errno == EAGAIN || errno == EINTR {
                usleep(UInt32(pause.inSeconds * 1e6))
            } else {
                return datagrams
            }
        }
    }
}

/// The other end of a pipe that the data path reads.
final class Writer: Sendable {
    private let descriptor: Mutex<CInt>

    /// - Parameter descriptor: owned by the writer.
    init(_ descriptor: FileDescriptor) { self.descriptor = Mutex(descriptor.rawValue) }

    deinit { end() }

    func write(_ bytes: some Collection<UInt8> & Sendable) async {
        await onOwnThread { [self] in writeNow(Array(bytes)) }
    }

    /// Writes on this thread, for bytes that the pipe has room for.
    func writeNow(_ bytes: [UInt8]) {
        let end = descriptor.withLock { $0 }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(end, $0.baseAddress! + written, bytes.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
    }

    /// Bytes that the data path has not read yet.
    var waiting: CInt {
        var count = CInt(0)
        return descriptor.withLock { ioctl($0, UInt(FIONREAD), &count) } == 0 ? count : 0
    }

    func end() {
        descriptor.withLock {
            if $0 >= 0 { close($0) }
            $0 = -1
        }
    }
}

/// Collects reported events, in order.
final class Reports<Event: Sendable & Equatable>: Sendable {
    private let events = Mutex<[Event]>([])
    var all: [Event] { events.withLock { $0 } }
    func add(_ event: Event) { events.withLock { $0.append(event) } }

    func wait(
        for event: Event, times: Int = 1, within limit: Duration = .seconds(20), file: String = #fileID,
        line: Int = #line
    ) async throws {
        try await wait(for: "\(event)", times: times, within: limit, file: file, line: line) { $0 == event }
    }

    func wait(
        for subject: String, times: Int = 1, within limit: Duration = .seconds(20), file: String = #fileID,
        line: Int = #line,
        where isWanted: (Event) -> Bool
    ) async throws {
        try await eventually(subject, within: limit, every: .milliseconds(5), file: file, line: line) {
            all.filter(isWanted).count >= times
        }
    }
}
