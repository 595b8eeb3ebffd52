/// Counts of values by upper bounds, as Prometheus has them.
public struct Histogram: Sendable, Hashable {
    /// Rising.
    public let bounds: [Double]
    /// Values at or below each bound and above the one before; one more for those above the last.
    public private(set) var counts: [Int]
    public private(set) var sum = 0.0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    public var count: Int { counts.reduce(0, +) }

    public mutating func add(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}
