import Foundation
import Synchronization

/// A TCP proxy of another port of this machine that limits the bytes per second to that port. It buffers little, so
/// that the sender notices the limit at once.
package final class SlowLink: Sendable {
    package let port: Int
    /// Bytes per second; `nil` for no limit.
    private let rate: Mutex<Int?>
    private let open: Mutex<[Int32]>

    /// The receive buffer of each connection in bytes.
    private static let buffer: Int32 = 32 << 10

    /// - Parameter target: The port behind the proxy.
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

    deinit { close() }

    /// Sets the limit from now on; `nil` for none.
    package func limit(to bytesPerSecond: Int?) { rate.withLock { $0 = bytesPerSecond } }

    /// Closes all connections, and ends the proxy.
    package func close() {
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
        // Both threads get here: the shutdown by one ends the other.
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }
}
