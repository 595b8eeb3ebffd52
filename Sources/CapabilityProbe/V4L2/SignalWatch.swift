import CLinux
import Glibc

/// Tells when what arrives at the input of a card changes: a cable is pulled, a camera switches its format.
///
/// A thread of its own waits for the driver's word, and asks once a second, for some drivers do not say it. FFmpeg does not
/// notice any of it.
public final class SignalWatch: Sendable {
    private let wakeup: CInt

    /// - Parameters:
    ///   - changed: Called on the thread: at first, and when something else arrives; with whether anything does.
    /// - Returns: `nil` when the driver does not tell.
    public init?(node path: String, changed: @escaping @Sendable (Bool) -> Void) {
        let wakeup = eventfd(0, CInt(EFD_CLOEXEC))
        guard wakeup >= 0 else { return nil }
        self.wakeup = wakeup
        // Cards on USB most often have no such input: what they send is a picture whatever arrives.
        // What is open is closed by `deinit`, which runs also when this returns nil.
        guard let node = try? V4L2Node(path), node.subscribeToSourceChanges() else { return nil }
        // A duplicate: the watch may go before its thread does.
        let end = fcntl(wakeup, F_DUPFD_CLOEXEC, 0)
        let context = Unmanaged.passRetained(Watched(node, end, changed)).toOpaque()
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, { context in
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

    private static let interval: CInt = 1000

    /// Sets a card's input to the timings of what arrives, where it has such; to be done while nobody captures.
    ///
    /// - Returns: What the card gives now when nothing else is asked for; `nil` where it does not say.
    public static func prepare(_ path: String) -> CaptureMode? {
        guard let node = try? V4L2Node(path) else { return nil }
        node.adoptTimings()
        return node.current()
    }

    /// What the thread has; made by one thread and then handed to its own.
    private final class Watched {
        private let node: V4L2Node
        private let end: CInt
        private let changed: (Bool) -> Void

        init(_ node: consuming V4L2Node, _ end: CInt, _ changed: @escaping (Bool) -> Void) {
            self.node = node
            self.end = end
            self.changed = changed
        }

        deinit { close(end) }

        func run() {
            var last = node.signal()
            changed(last.isThere)
            while node.waitForChange(atMost: SignalWatch.interval, or: end) {
                let signal = node.signal()
                guard signal != last else { continue }
                last = signal
                changed(signal.isThere)
            }
        }
    }
}
