import CLinux
import CUdev
import Glibc

/// Hotplug events as an `AsyncSequence`. It ends when its reader is cancelled, or at once if udev cannot be used.
///
/// No event is lost after the iterator is created: create it first, then list the devices. Events are collected until a
/// device has settled, so there is one event for each device. If events are lost all the same, because there were more
/// than the kernel or this sequence keeps, an event with the action `lost` follows: list the devices again.
package struct Hotplug: AsyncSequence, Sendable {
    package typealias Element = HotplugEvent

    /// The most settled events that wait for a reader. Beyond that the oldest are dropped, and `lost` is sent.
    private static let mostWaiting = 1024

    package init() {}

    package func makeAsyncIterator() -> AsyncStream<HotplugEvent>.Iterator {
        let (stream, queue) = AsyncStream.makeStream(
            of: HotplugEvent.self, bufferingPolicy: .bufferingNewest(Self.mostWaiting))
        if let watch = HotplugWatch(queue: queue) {
            watch.start()
        } else {
            queue.finish()
        }
        return stream.makeAsyncIterator()
    }
}
