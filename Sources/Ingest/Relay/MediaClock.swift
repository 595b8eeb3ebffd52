/// One timeline for everything that a publisher sends: milliseconds from a fixed start on, whatever it counts from, and
/// across the place where its 32 bits begin anew.
struct MediaClock {
    /// Where the timeline begins: an encoder's first sound lies before the first message.
    static let start: Int64 = 10_000

    private var last: (raw: UInt32, time: Int64)?

    mutating func time(of timestamp: UInt32) -> Int64 {
        guard let last else {
            self.last = (timestamp, Self.start)
            return Self.start
        }
        let time = max(0, last.time + Int64(Int32(bitPattern: timestamp &- last.raw)))
        self.last = (timestamp, time)
        return time
    }
}
