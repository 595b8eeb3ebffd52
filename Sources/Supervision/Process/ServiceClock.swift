/// The clock of the runners: `ContinuousClock` in the service, a clock that is advanced by hand in tests.
///
/// Every clock of this kind has the instants of `ContinuousClock`, so times of both can be compared.
protocol ServiceClock: Clock where Instant == ContinuousClock.Instant {}

extension ContinuousClock: ServiceClock {}
