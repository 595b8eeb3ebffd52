import EventLoop
import SystemPackage

/// A port that takes one RTMP publisher at a time, which shows the right application and key, and lends its connection
/// to the data path.
///
/// The port stays open between publishers. All ingests share a thread; nothing that a peer does or leaves undone costs
/// more than ``IngestLimits``.
package actor RTMPServer {
    private static let loop = EventLoop()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { Self.loop.asUnownedSerialExecutor() }

    private let admission: PublisherAdmission
    private var door: Listener?
    package nonisolated let statistics = IngestStatistics()
    /// What happens, in order; for one reader.
    package nonisolated let events: AsyncStream<IngestEvent>

    /// An ingest that lets no one in, until it is told whom.
    package init(application: String, limits: IngestLimits = IngestLimits()) {
        let queue: AsyncStream<IngestEvent>.Continuation
        (events, queue) = AsyncStream.makeStream()
        admission = PublisherAdmission(
            application: application, limits: limits, statistics: statistics, loop: Self.loop,
            report: { queue.yield($0) })
    }

    /// Opens the port.
    ///
    /// - Parameter port: 0 asks the kernel for one.
    /// - Returns: The port.
    /// - Throws: The system's error, as an `Errno`.
    package nonisolated func listen(host: String, port: Int) async throws -> Int {
        // A name may take its time, and the thread has none to spare.
        try await open(try NetworkAddress.resolve(host, port: port))
    }

    private func open(_ address: NetworkAddress) throws -> Int {
        let door = try Listener(address, loop: Self.loop) { [admission] socket, address in
            Connection(socket, from: address, admission: admission).begin()
        }
        self.door = door
        return door.port
    }

    /// Closes the port and every connection; what has come of a publisher still goes to its channel.
    package func close() {
        door?.close()
        door = nil
        admission.close()
    }

    /// Lends the connection of the publisher, which is read by what ``Publication/makeInlet(for:on:)`` makes.
    ///
    /// - Returns: `nil` where there is no publisher, or its connection is lent already.
    package func lend() -> Publication? { admission.lend() }

    /// Says whether the publisher sends, and nothing of that becomes a picture: then it gives way to another one.
    package nonisolated func setMute(_ isMute: Bool) { tell { $0.setMute(isMute) } }

    /// Lets others in from now on; a publisher whose key is right no more is turned away.
    package nonisolated func admit(_ admission: Admission) { tell { $0.setAdmission(admission) } }

    private nonisolated func tell(_ body: @escaping @Sendable (PublisherAdmission) -> Void) {
        Self.loop.execute { self.assumeIsolated { body($0.admission) } }
    }
}
