import Glibc
public import Polling
import RTMP
public import SystemPackage

/// A port that takes one RTMP publisher at a time, who shows the right application and key, and gives what it sends to a
/// relay, as FLV.
///
/// The port stays open whoever comes and goes, and the publisher stays connected whatever becomes of its relay. All ingests
/// share a thread; nothing that a peer does or leaves undone costs more than ``IngestLimits``.
public actor RTMPIngest {
    private static let loop = EventLoop()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.loop.asUnownedSerialExecutor() }

    private let desk: Desk
    private var door: Door?
    public nonisolated let ledger = IngestLedger()
    /// What happens, in order; for one reader.
    public nonisolated let events: AsyncStream<IngestEvent>

    /// An ingest that lets nobody in, until it is told whom.
    ///
    /// - Parameter readsEnhanced: The relay's FFmpeg reads HEVC from FLV (6.1 and newer).
    public init(application: String, readsEnhanced: Bool, limits: IngestLimits = IngestLimits()) {
        let queue: AsyncStream<IngestEvent>.Continuation
        (events, queue) = AsyncStream.makeStream()
        desk = Desk(
            application: application, readsEnhanced: readsEnhanced, limits: limits, ledger: ledger, loop: Self.loop, report: { queue.yield($0) })
    }

    /// Opens the port.
    ///
    /// - Parameter port: 0 asks the kernel for one.
    /// - Returns: The port.
    /// - Throws: The system's error, as an `Errno`.
    public nonisolated func listen(host: String, port: Int) async throws -> Int {
        // A name may take its time, and the thread has none to spare.
        try await open(try NetworkAddress.resolve(host, port: port))
    }

    private func open(_ address: NetworkAddress) throws -> Int {
        let door = try Door(address, loop: Self.loop) { [desk] socket, address in Connection(socket, from: address, desk: desk).begin() }
        self.door = door
        return door.port
    }

    /// Closes the port and every connection; what a publisher sent still goes to its relay, which gets its end.
    public func close() {
        door?.close()
        door = nil
        desk.close()
    }

    /// The input for a relay of whoever publishes.
    ///
    /// - Parameters:
    ///   - time: The decoding time, in milliseconds of the stream, of the last picture that the relay before gave; the new one
    ///     begins with the keyframe at or before it. `nil` begins with the first that is kept.
    ///   - demand: When the relay's pictures are wanted; `nil` where they are as they come.
    /// - Returns: The end to be read, owned by the caller, and whether the publisher is still there; `nil` when nobody
    ///   publishes.
    public func attach(after time: Int64?, for demand: Demand? = nil) -> (Presence, FileDescriptor)? {
        desk.attach(after: time, for: demand).map { ($0.presence, FileDescriptor(rawValue: $0.input)) }
    }

    /// Says which picture came out of the relay last, by its decoding time in milliseconds of the stream: what is before the
    /// keyframe at or before it need not be kept.
    public nonisolated func confirm(_ time: Int64) { tell { $0.confirm(time) } }

    /// Turns the publisher away, because its relay can make nothing of what it sends.
    public nonisolated func reject(_ why: String) { tell { $0.reject(why) } }

    /// Says whether the publisher sends, and nothing of that becomes a picture: then it gives way to another one.
    public nonisolated func setMute(_ isMute: Bool) { tell { $0.setMute(isMute) } }

    /// Lets others in from now on; a publisher whose key is right no more is turned away.
    public nonisolated func admit(_ admission: Admission) { tell { $0.setAdmission(admission) } }

    private nonisolated func tell(_ body: @escaping @Sendable (Desk) -> Void) {
        Self.loop.execute { self.assumeIsolated { body($0.desk) } }
    }
}
