import CLinux
import Glibc

/// Tells when what arrives at the input of a card changes: a cable is pulled, a camera switches its format.
///
/// A thread of its own waits in the kernel for the driver's word; nothing is asked in between. FFmpeg does not notice any of it.
public final class SignalWatch: Sendable {
    private let wakeup: CInt

    /// - Parameters:
    ///   - changed: Called on the thread: at first and at each change, with whether something arrives.
    /// - Returns: `nil` when the driver does not tell.
    public init?(node path: String, changed: @escaping @Sendable (Bool) -> Void) {
        let wakeup = eventfd(0, CInt(EFD_CLOEXEC))
        guard wakeup >= 0 else { return nil }
        self.wakeup = wakeup
        guard let node = try? V4L2Node(path), node.subscribeToSourceChanges() else {
            close(wakeup)
            return nil
        }
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
            close(wakeup)
            return nil
        }
        pthread_detach(thread)
    }

    deinit {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
        close(wakeup)
    }

    /// Sets a card's input to the timings of what arrives; to be done while nobody captures.
    public static func adoptTimings(of path: String) {
        guard let node = try? V4L2Node(path) else { return }
        node.adoptTimings()
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
            changed(node.hasSignal())
            while node.waitForChange(or: end) { changed(node.hasSignal()) }
        }
    }
}
