import CLinux
import CUdev
import Glibc

/// What is plugged in and pulled, as an `AsyncSequence` that ends when whoever reads it is cancelled.
///
/// udev's monitor is read on a thread of its own, which ends with the sequence. A burst of events is settled first: what
/// comes out is one event a device.
public struct Hotplug: AsyncSequence, Sendable {
    public typealias Element = HotplugEvent

    private static let subsystems = ["drm", "video4linux", "sound"]

    public init() {}

    public func makeAsyncIterator() -> AsyncStream<HotplugEvent>.Iterator {
        // Bounded: who does not read for so long finds out by looking at what is there.
        let (stream, queue) = AsyncStream.makeStream(of: HotplugEvent.self, bufferingPolicy: .bufferingNewest(1024))
        let wakeup = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        guard wakeup >= 0 else {
            queue.finish()
            return stream.makeAsyncIterator()
        }
        queue.onTermination = { _ in
            var one: UInt64 = 1
            _ = write(wakeup, &one, 8)
        }
        let context = Unmanaged.passRetained(Watch(queue: queue, wakeup: wakeup)).toOpaque()
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, { context in
            Unmanaged<Watch>.fromOpaque(context!).takeRetainedValue().run()
            return nil
        }, context)
        if status == 0 {
            pthread_detach(thread)
        } else {
            Unmanaged<Watch>.fromOpaque(context).release()
            queue.finish()
        }
        return stream.makeAsyncIterator()
    }

    /// The thread's own.
    private final class Watch {
        let queue: AsyncStream<HotplugEvent>.Continuation
        let wakeup: CInt

        init(queue: AsyncStream<HotplugEvent>.Continuation, wakeup: CInt) {
            self.queue = queue
            self.wakeup = wakeup
        }

        deinit { close(wakeup) }

        func run() {
            defer { queue.finish() }
            guard let udev = Udev(), let monitor = udev_monitor_new_from_netlink(udev.handle, "udev") else { return }
            defer { udev_monitor_unref(monitor) }
            for subsystem in Hotplug.subsystems { udev_monitor_filter_add_match_subsystem_devtype(monitor, subsystem, nil) }
            udev_monitor_set_receive_buffer_size(monitor, 8 << 20)
            guard udev_monitor_enable_receiving(monitor) >= 0 else { return }
            var burst = HotplugBurst()
            while true {
                let timeout = burst.due.map { CInt(clamping: Swift.max(0, $0 - Self.now() + 999_999) / 1_000_000) } ?? -1
                var ends = [pollfd(fd: udev_monitor_get_fd(monitor), events: Int16(POLLIN), revents: 0), pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0)]
                if poll(&ends, 2, timeout) < 0, errno != EINTR { return }
                if ends[1].revents != 0 { return }
                if ends[0].revents != 0, let handle = udev_monitor_receive_device(monitor) {
                    let device = UdevDevice(owning: handle)
                    if let action = device.action.flatMap({ HotplugEvent.Action(rawValue: $0) }) {
                        burst.add(
                            HotplugEvent(
                                action: action, subsystem: device.subsystem, path: device.path, node: device.node, wedged: device.property("WEDGED")),
                            now: Self.now())
                    }
                }
                for event in burst.take(now: Self.now()) { queue.yield(event) }
            }
        }

        private static func now() -> Int64 {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }
    }
}
