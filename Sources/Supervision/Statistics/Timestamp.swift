import Glibc

/// A time for display and for files, in seconds since 1970.
package struct Timestamp: Sendable, Hashable {
    package var seconds: Double

    package init(seconds: Double) { self.seconds = seconds }

    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }
}
