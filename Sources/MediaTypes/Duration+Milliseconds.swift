extension Duration {
    /// The milliseconds of the duration, rounded towards zero.
    package var wholeMilliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
