/// Detects steps of the wall clock, by comparing it with a clock that is never set. Pure.
struct ClockLead {
    private var last: Duration?

    /// The smallest step that is reported. A smaller one is not worth a lost frame.
    static let least = Duration.milliseconds(100)

    /// - Returns: By how much the clock was set since the last call. `nil` for the first call, and for a step under
    ///   ``least``.
    mutating func step(to lead: Duration) -> Duration? {
        defer { last = lead }
        guard let last, (lead - last).magnitude >= Self.least else { return nil }
        return lead - last
    }
}

extension Duration {
    fileprivate var magnitude: Duration { self < .zero ? .zero - self : self }
}
