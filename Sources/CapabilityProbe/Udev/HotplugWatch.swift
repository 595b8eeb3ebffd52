import CLinux
import CUdev
import Glibc

/// A udev monitor on a thread of its own: owns the C handle and the descriptor that ends it, and frees both with
/// itself.
///
/// Made by one thread and then handed to its own; never used by two.
final class HotplugWatch {
    private static let subsystems = ["drm", "pci", "video4linux", "sound"]
    /// Bytes that the kernel keeps for the thread; a dock that is pulled makes a few hundred events.
    private static let bufferSize: CInt = 8 << 20

    private let queue: AsyncStream<HotplugEvent>.Continuation
    private let udev: Udev
    private let monitor: OpaquePointer
    private let wakeup: CInt

    /// Receives from now on. `nil` where there is no udev to listen to.
    init?(queue: AsyncStream<HotplugEvent>.Continuation) {
        guard let udev = Udev(), let monitor = udev_monitor_new_from_netlink(udev.handle, "udev") else { return nil }
        for subsystem in Self.subsystems { udev_monitor_filter_add_match_subsystem_devtype(monitor, subsystem, nil) }
        // More than a user may have; root may.
        udev_monitor_set_receive_buffer_size(monitor, Self.bufferSize)
        let wakeup =
            udev_monitor_enable_receiving(monitor) >= 0 ? eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)) : -1
        guard wakeup >= 0 else {
            udev_monitor_unref(monitor)
            return nil
        }
        self.queue = queue
        self.udev = udev
        self.monitor = monitor
        self.wakeup = wakeup
    }

    deinit {
        udev_monitor_unref(monitor)
        close(wakeup)
    }

    /// Hands itself to a thread, which ends when nobody reads the queue any more.
    func start() {
        // A duplicate: the reader may go after the thread has ended and closed its own.
        let stopper = fcntl(wakeup, F_DUPFD_CLOEXEC, 0)
        guard stopper >= 0 else { return queue.finish() }
        queue.onTermination = { _ in
            var one: UInt64 = 1
            _ = write(stopper, &one, 8)
            close(stopper)
        }
        let context = Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<HotplugWatch>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
        guard status == 0 else {
            Unmanaged<HotplugWatch>.fromOpaque(context).release()
            return queue.finish()
        }
        pthread_detach(thread)
    }

    private func run() {
        defer { queue.finish() }
        var burst = HotplugBurst()
        while true {
            let timeout = burst.due.map { CInt(clamping: Swift.max(0, $0 - Self.now() + 999_999) / 1_000_000) } ?? -1
            var ends = [
                pollfd(fd: udev_monitor_get_fd(monitor), events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&ends, 2, timeout) < 0, errno != EINTR { return }
            if ends[1].revents != 0 { return }
            if ends[0].revents != 0, !receive(into: &burst) { return }
            for event in burst.take(now: Self.now()) {
                if case .dropped = queue.yield(event) { queue.yield(.lost) }
            }
        }
    }

    /// - Returns: `false` when the monitor is beyond use.
    private func receive(into burst: inout HotplugBurst) -> Bool {
        errno = 0
        guard let handle = udev_monitor_receive_device(monitor) else {
            switch errno {
            // What the filter keeps out is received too, and then there is no device.
            case 0, EAGAIN, EINTR, EINVAL: return true
            case ENOBUFS:
                burst.add(.lost, now: Self.now())
                return true
            default: return false
            }
        }
        let device = UdevDevice(owning: handle)
        if let action = device.action.flatMap({ Self.action($0) }) {
            burst.add(
                HotplugEvent(
                    action: action, subsystem: device.subsystem, path: device.path, node: device.node,
                    wedged: device.property("WEDGED")),
                now: Self.now())
        }
        return true
    }

    private static func action(_ word: String) -> HotplugEvent.Action? {
        switch word {
        case "add": .add
        case "remove": .remove
        // A driver that takes a device or lets it go changes what it is good for.
        case "change", "bind", "unbind": .change
        default: nil
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
