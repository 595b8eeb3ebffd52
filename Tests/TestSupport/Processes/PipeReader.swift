import Foundation
import Synchronization

/// Reads one pipe of a program to its end on a thread of its own. Owns the descriptor.
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

    /// Closes a pipe whose program never started.
    func discard() { close(descriptor) }

    /// Waits for the end of the stream; gives it up when somebody else still holds it open.
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
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count > 0 {
                transcript.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } else if count == 0 || errno != EINTR {
                return
            }
        }
    }
}
