import CLinux
import CUdev
import Glibc

/// What is plugged in and pulled, as an `AsyncSequence` that ends when whoever reads it is cancelled, or at once where
/// udev cannot be listened to.
///
/// From the moment that the iterator is made, nothing is missed: make it first, then list what is there. A burst of
/// events is settled first: what comes out is one event a device. Where events were lost all the same (more came than
/// the kernel or this sequence keeps), one with the action `lost` says so: list again what is there.
package struct Hotplug: AsyncSequence, Sendable {
    package typealias Element = HotplugEvent

    /// Settled events that wait for a reader; past that, the oldest go and `lost` is said.
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
