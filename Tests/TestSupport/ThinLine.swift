import Foundation
import Synchronization

/// A TCP line to another port of this machine that carries so much a second towards it, and no more. It holds little
/// back itself, so that the sender notices at once.
package final class ThinLine: Sendable {
    package let port: Int
    /// Bytes a second; `nil` is as fast as it goes.
    private let rate: Mutex<Int?>
    private let open: Mutex<[Int32]>

    /// Bytes that each end of the line may hold.
    private static let buffer: Int32 = 32 << 10

    /// - Parameter target: The port that the line leads to.
    package init(to target: Int, bytesPerSecond: Int? = nil) throws {
        port = try FreePort.tcp()
        rate = Mutex(bytesPerSecond)
        let listener = try TestSupport.listener(port: port, receiveBuffer: Self.buffer)
        open = Mutex([listener])
        Thread.detachNewThread { [weak self] in
            while true {
                let near = accept(listener, nil, nil)
                guard near >= 0 else { return }
                guard let self, let far = try? connect(port: target) else {
                    Foundation.close(near)
                    continue
                }
                self.serve(near, far)
            }
        }
    }

    deinit { cut() }

    /// Carries so much from now on.
    package func carry(_ bytesPerSecond: Int?) { rate.withLock { $0 = bytesPerSecond } }

    /// Ends the line and what it carries.
    package func cut() {
        let all = open.withLock { open in
            defer { open = [] }
            return open
        }
        for descriptor in all { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    private func serve(_ near: Int32, _ far: Int32) {
        open.withLock { $0 += [near, far] }
        let hasAnswered = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            Self.copy(from: far, to: near) { nil }
            hasAnswered.signal()
        }
        Thread.detachNewThread { [weak self] in
            Self.copy(from: near, to: far) { self?.rate.withLock { $0 } }
            hasAnswered.wait()
            self?.open.withLock { open in open.removeAll { $0 == near || $0 == far } }
            Foundation.close(near)
            Foundation.close(far)
        }
    }

    private static func copy(from: Int32, to: Int32, rate: () -> Int?) {
        var piece = [UInt8](repeating: 0, count: 8 << 10)
        while true {
            let count = recv(from, &piece, piece.count, 0)
            guard count > 0 else { break }
            var sent = 0
            while sent < count {
                let more = piece.withUnsafeBytes { send(to, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL)) }
                guard more > 0 else { break }
                sent += more
            }
            guard sent == count else { break }
            if let rate = rate() { usleep(UInt32(min(999_999, count * 1_000_000 / max(1, rate)))) }
        }
        // Both threads come here, the second because of the first.
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }
}
