import CLinux
import Glibc

/// Tells when what arrives at the input of a card changes: a cable is pulled, a camera switches its format.
///
/// A thread of its own waits for the driver's word, and asks once a second, for some drivers do not say it. FFmpeg does
/// not notice any of it.
package final class SignalWatch: Sendable {
    package enum Event: Sendable, Hashable {
        /// When something else arrives: whether anything does. The first tells what arrived when the watch began.
        case signal(Bool, isFirst: Bool)
        /// The device is gone; the last event.
        case gone
    }

    private let wakeup: CInt

    /// - Parameter events: Called on the thread.
    /// - Returns: `nil` when the driver does not tell.
    package init?(node path: String, events: @escaping @Sendable (Event) -> Void) {
        let wakeup = eventfd(0, CInt(EFD_CLOEXEC))
        guard wakeup >= 0 else { return nil }
        self.wakeup = wakeup
        // Cards on USB most often have no such input: what they send is a picture whatever arrives.
        // What is open is closed by `deinit`, which runs also when this returns nil.
        guard let node = try? V4L2Node(path), node.subscribeToSourceChanges() || node.tellsSignal else { return nil }
        // A duplicate: the watch may go before its thread does.
        let end = fcntl(wakeup, F_DUPFD_CLOEXEC, 0)
        let context = Unmanaged.passRetained(Watched(node, end, events)).toOpaque()
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<Watched>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
        guard status == 0 else {
            Unmanaged<Watched>.fromOpaque(context).release()
            return nil
        }
        pthread_detach(thread)
    }

    deinit {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
        close(wakeup)
    }

    /// Milliseconds from one question to the next.
    private static let interval: CInt = 1000
    /// A change has to be one for so many milliseconds: a receiver that is out of step for a moment costs nothing.
    private static let confirmation: CInt = 200

    /// What the thread has; made by one thread and then handed to its own.
    private final class Watched {
        private let node: V4L2Node
        private let end: CInt
        private let events: (Event) -> Void

        init(_ node: consuming V4L2Node, _ end: CInt, _ events: @escaping (Event) -> Void) {
            self.node = node
            self.end = end
            self.events = events
        }

        deinit { close(end) }

        func run() {
            var last = node.signal()
            events(.signal(last.isThere, isFirst: true))
            while true {
                switch node.waitForChange(atMost: SignalWatch.interval, or: end) {
                case .woken: return
                case .gone: return events(.gone)
                case .looks: break
                }
                guard !node.signal().isSame(as: last) else { continue }
                usleep(UInt32(SignalWatch.confirmation) * 1000)
                let signal = node.signal()
                guard !signal.isSame(as: last) else { continue }
                last = signal
                events(.signal(signal.isThere, isFirst: false))
            }
        }
    }
}
