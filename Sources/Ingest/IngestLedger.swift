import NIOCore
import Synchronization

/// What there is to tell of an ingest: written on its thread, read by anybody.
public final class IngestLedger: Sendable {
    private let counts = Mutex<[IngestRefusal: Int]>([:])
    private let media = Atomic<UInt64>(0)
    private let isOn = Atomic(false)

    init() {}

    /// How many were turned away.
    public var refusals: [IngestRefusal: Int] { counts.withLock { $0 } }

    /// Somebody publishes, and sent something within this time.
    public func delivers(within limit: Duration) -> Bool {
        let age = NIODeadline.now().uptimeNanoseconds &- media.load(ordering: .relaxed)
        return isOn.load(ordering: .relaxed) && TimeAmount.nanoseconds(Int64(clamping: age)) < TimeAmount(limit)
    }

    func refused(_ reason: IngestRefusal) { counts.withLock { $0[reason, default: 0] += 1 } }
    func publishes(_ publishes: Bool) { isOn.store(publishes, ordering: .relaxed) }
    func took(_ now: NIODeadline) { media.store(now.uptimeNanoseconds, ordering: .relaxed) }
}
