import Synchronization

/// What there is to tell of an ingest: written on its thread, read by anybody.
package final class IngestStatistics: Sendable {
    private let counts = Mutex<[IngestRefusal: Int]>([:])

    init() {}

    /// How many were turned away.
    package var refusals: [IngestRefusal: Int] { counts.withLock { $0 } }

    func refused(_ reason: IngestRefusal) { counts.withLock { $0[reason, default: 0] += 1 } }
}
