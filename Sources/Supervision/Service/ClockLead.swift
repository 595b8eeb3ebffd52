/// How far the wall clock was ahead of one that nobody sets, and whether that has changed by a step that matters. Pure.
struct ClockLead {
    private var last: Duration?

    /// Smaller steps are not worth a picture.
    static let least = Duration.milliseconds(100)

    /// - Returns: By how much the clock was set since the last time; `nil` at first, and when it was by less than
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
