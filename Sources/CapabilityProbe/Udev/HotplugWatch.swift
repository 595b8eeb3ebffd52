import CLinux
import CUdev
import Glibc

/// A udev monitor on its own thread. It owns the C handle and the descriptor that ends it, and frees both in its
/// `deinit`.
///
/// One thread creates it and hands it to its own thread. Two threads never use it at the same time.
final class HotplugWatch {
    private static let subsystems = ["drm", "pci", "video4linux", "sound"]
    /// How many bytes of events the kernel keeps until the thread reads them. Unplugging a dock causes a few hundred
    /// events.
    private static let bufferSize: CInt = 8 << 20

    private let queue: AsyncStream<HotplugEvent>.Continuation
    private let udev: Udev
    private let monitor: OpaquePointer
    private let wakeup: CInt

    /// Makes a monitor that receives events from now on. `nil` if udev is not available.
    init?(queue: AsyncStream<HotplugEvent>.Continuation) {
        guard let udev = Udev(), let monitor = udev_monitor_new_from_netlink(udev.handle, "udev") else { return nil }
        for subsystem in Self.subsystems { udev_monitor_filter_add_match_subsystem_devtype(monitor, subsystem, nil) }
        // The call fails for an ordinary user, who may not have so large a buffer. Root may.
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

    /// Hands itself to a thread, which ends when the queue has no reader.
    func start() {
        // A duplicate: the reader may outlive the thread, which closes its own descriptor.
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
            for event in burst.settledEvents(now: Self.now()) {
                if case .dropped = queue.yield(event) { queue.yield(.lost) }
            }
        }
    }

    /// - Returns: `false` if the monitor can no longer be used.
    private func receive(into burst: inout HotplugBurst) -> Bool {
        errno = 0
        guard let handle = udev_monitor_receive_device(monitor) else {
            switch errno {
            // Events that the filter leaves out are received too, and have no device.
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
                    wedgeRecovery: device.property("WEDGED")),
                now: Self.now())
        }
        return true
    }

    private static func action(_ word: String) -> HotplugEvent.Action? {
        switch word {
        case "add": .add
        case "remove": .remove
        // A driver that binds or unbinds a device changes what the device can be used for.
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
