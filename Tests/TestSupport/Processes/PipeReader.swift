import Foundation
import Synchronization

/// Reads one pipe of a program to its end, on a thread of its own. Owns the descriptor.
final class PipeReader: Sendable {
    private let descriptor: Int32
    private let transcript: Transcript
    private let abandoned = Atomic(false)
    private let done = DispatchGroup()

    init(_ descriptor: Int32, into transcript: Transcript) {
        self.descriptor = descriptor
        self.transcript = transcript
    }

    func start() {
        done.enter()
        Thread.detachNewThread { [self] in
            read()
            close(descriptor)
            transcript.finish()
            done.leave()
        }
    }

    /// Closes the pipe of a program that did not start.
    func discard() { close(descriptor) }

    /// Waits for the end of the stream, until a limit: another process may still have the pipe open.
    func finish(by limit: DispatchTime) {
        if done.wait(timeout: limit) == .timedOut {
            abandoned.store(true, ordering: .relaxed)
            done.wait()
        }
    }

    private func read() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
        defer { buffer.deallocate() }
        while !abandoned.load(ordering: .relaxed) {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 100) > 0 else { continue }
            guard take(buffer) != nil else { return }
        }
        // This thread may have been late: the bytes in the pipe now are still the program's.
        var left: Int32 = 0
        guard ioctl(descriptor, UInt(FIONREAD), &left) == 0 else { return }
        while left > 0 {
            guard let count = take(UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Int(left)))) else { return }
            left -= Int32(count)
        }
    }

    /// Reads once.
    ///
    /// - Returns: The number of bytes; nil at the end.
    private func take(_ buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { transcript.append(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        return count > 0 ? count : count < 0 && errno == EINTR ? 0 : nil
    }
}
