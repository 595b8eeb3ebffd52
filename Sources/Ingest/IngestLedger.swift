import Synchronization

/// What there is to tell of an ingest: written on its thread, read by anybody.
public final class IngestLedger: Sendable {
    private let counts = Mutex<[IngestRefusal: Int]>([:])

    init() {}

    /// How many were turned away.
    public var refusals: [IngestRefusal: Int] { counts.withLock { $0 } }

    func refused(_ reason: IngestRefusal) { counts.withLock { $0[reason, default: 0] += 1 } }
}
