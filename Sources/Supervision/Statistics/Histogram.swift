/// Counts values by upper bounds, as Prometheus does.
package struct Histogram: Sendable, Hashable {
    /// The upper bounds, in ascending order.
    package let bounds: [Double]
    /// The number of values at or below each bound and above the one before. The last count is for values above the
    /// last bound.
    package private(set) var counts: [Int]
    package private(set) var sum = 0.0

    package init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package var count: Int { counts.reduce(0, +) }

    package mutating func add(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}
