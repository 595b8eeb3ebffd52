/// Arithmetic on MPEG-TS timestamps: 90 kHz ticks, 33 bits on the wire (ISO/IEC 13818-1, 2.4.3.7).
///
/// On the wire a timestamp wraps every 26.5 hours. Inside the service a timestamp is an `Int64` that never wraps;
/// ``Ticks/extend(_:near:)`` converts.
package enum Ticks {
    /// Ticks in one second.
    package static let perSecond: Int64 = 90_000
    /// The range of a timestamp on the wire: 2^33 ticks.
    package static let wrap: Int64 = 1 << 33

    /// The value on the wire.
    @inlinable
    package static func onWire(_ ticks: Int64) -> Int64 { ticks & (wrap - 1) }

    /// The timestamp nearest to `reference` whose value on the wire is `wire`.
    @inlinable
    package static func extend(_ wire: Int64, near reference: Int64) -> Int64 {
        var difference = (wire - reference) & (wrap - 1)
        if difference >= wrap / 2 { difference -= wrap }
        return reference + difference
    }

    /// Converts nanoseconds to ticks, rounded down.
    @inlinable
    package static func fromNanoseconds(_ nanoseconds: Int64) -> Int64 {
        nanoseconds / 100_000 * 9 + nanoseconds % 100_000 * 9 / 100_000
    }
}
