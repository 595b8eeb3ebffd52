import Glibc

/// A moment for people and files: seconds since 1970.
public struct Timestamp: Sendable, Hashable, Codable {
    public var seconds: Double

    public init(seconds: Double) { self.seconds = seconds }

    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }
}
