import CLinux
import Glibc

/// Reports changes of the signal at a card's input: a cable is unplugged, a camera switches its format.
///
/// A thread of its own waits for the driver's events, and also asks once a second, because some drivers send no events.
/// FFmpeg notices none of these changes.
package final class SignalWatch: Sendable {
    package enum Event: Sendable, Hashable {
        /// Whether there is a signal, after a change. The first event has the state at the beginning of the watch.
        case signal(Bool, isFirst: Bool)
        /// The device is gone. This is the last event.
        case gone
    }

    private let wakeup: CInt

    /// - Parameter events: Called on the thread.
    /// - Returns: `nil` if the driver does not report the signal.
    package init?(node path: String, events: @escaping @Sendable (Event) -> Void) {
        let wakeup = eventfd(0, CInt(EFD_CLOEXEC))
        guard wakeup >= 0 else { return nil }
        self.wakeup = wakeup
        // USB cards usually have no such input: they send frames whatever the signal.
        // `deinit` closes the descriptor. It also runs if this returns nil.
        guard let node = try? V4L2Node(path), node.subscribeToSourceChanges() || node.tellsSignal else { return nil }
        // A duplicate: the watch may be freed before its thread ends.
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

    /// Milliseconds between two questions.
    private static let interval: CInt = 1000
    /// Milliseconds for which a change has to last, so that a receiver that loses the signal for a moment is ignored.
    private static let confirmation: CInt = 200

    /// The state of the thread. One thread creates it and hands it to this one.
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
