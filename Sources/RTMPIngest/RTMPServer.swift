import EventLoop
import SystemPackage

/// A port that accepts one RTMP publisher at a time, if it names the right application and key, and lends its
/// connection to the data path.
///
/// The port stays open between publishers. All ingests share one thread. ``IngestLimits`` bounds the cost of every
/// client.
package actor RTMPServer {
    private static let loop = EventLoop()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { Self.loop.asUnownedSerialExecutor() }

    private let admission: PublisherAdmission
    private var listener: Listener?
    package nonisolated let statistics = IngestStatistics()
    /// The events of the port, in order. The stream supports one reader.
    package nonisolated let events: AsyncStream<IngestEvent>

    /// Creates an ingest that rejects every publisher until ``setPolicy(_:)`` is called.
    package init(application: String, limits: IngestLimits = IngestLimits()) {
        let queue: AsyncStream<IngestEvent>.Continuation
        (events, queue) = AsyncStream.makeStream()
        admission = PublisherAdmission(
            application: application, limits: limits, statistics: statistics, loop: Self.loop,
            report: { queue.yield($0) })
    }

    /// Opens the port.
    ///
    /// - Parameter port: 0 asks the kernel for a free port.
    /// - Returns: The port.
    /// - Throws: The system's error, as an `Errno`.
    package nonisolated func listen(host: String, port: Int) async throws -> Int {
        // Resolving a name can block, so it does not run on the shared thread.
        try await open(try NetworkAddress.resolve(host, port: port))
    }

    private func open(_ address: NetworkAddress) throws -> Int {
        let listener = try Listener(address, loop: Self.loop) { [admission] socket, address in
            Connection(socket, from: address, admission: admission).begin()
        }
        self.listener = listener
        return listener.port
    }

    /// Closes the port and every connection. Data that a publisher has already sent still goes to its channel.
    package func close() {
        listener?.close()
        listener = nil
        admission.close()
    }

    /// Lends the publisher's connection. The reader that ``Publication/makeReader(for:on:)`` returns reads it.
    ///
    /// - Returns: `nil` if there is no publisher, or if its connection is lent already.
    package func lend() -> Publication? { admission.lend() }

    /// Says whether the publisher sends data but no usable video. Another publisher then replaces it without waiting
    /// for it to be silent.
    package nonisolated func setSendsNoVideo(_ sendsNoVideo: Bool) { perform { $0.setSendsNoVideo(sendsNoVideo) } }

    /// Sets which publishers are accepted from now on. A publisher whose key is no longer right is disconnected.
    package nonisolated func setPolicy(_ policy: AdmissionPolicy) { perform { $0.setPolicy(policy) } }

    private nonisolated func perform(_ body: @escaping @Sendable (PublisherAdmission) -> Void) {
        Self.loop.execute { self.assumeIsolated { body($0.admission) } }
    }
}
