import Synchronization

/// Counts the rejected connections of an ingest. The ingest's thread writes them, and any thread can read them.
package final class IngestStatistics: Sendable {
    private let counts = Mutex<[IngestRefusal: Int]>([:])

    init() {}

    /// The number of rejected connections, by reason.
    package var refusals: [IngestRefusal: Int] { counts.withLock { $0 } }

    func refused(_ reason: IngestRefusal) { counts.withLock { $0[reason, default: 0] += 1 } }
}
