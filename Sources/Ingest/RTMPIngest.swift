import Glibc
import NIOCore
import NIOPosix
import RTMP
public import SystemPackage

/// A port that takes one RTMP publisher at a time, who shows the right application and key, and gives what it sends to a
/// relay, as FLV.
///
/// The port stays open whoever comes and goes, and the publisher stays connected whatever becomes of its relay. All ingests
/// share a thread; nothing that a peer does or leaves undone costs more than ``IngestLimits``.
public final class RTMPIngest: Sendable {
    private static let threads: MultiThreadedEventLoopGroup = {
        let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        // Encoders keep every core busy, and a picture must not wait for them. Where this is not permitted, all is well
        // until the box is overloaded.
        threads.next().execute { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10) }
        return threads
    }()

    private let loop: any EventLoop
    private let desk: NIOLoopBoundBox<Desk?>
    private let application: String
    public let ledger = IngestLedger()
    /// What happens, in order; for one reader.
    public let events: AsyncStream<IngestEvent>

    /// An ingest that lets nobody in, until it is told whom.
    ///
    /// - Parameter readsEnhanced: The relay's FFmpeg reads HEVC from FLV (6.1 and newer).
    public init(application: String, readsEnhanced: Bool, limits: IngestLimits = IngestLimits()) {
        let queue: AsyncStream<IngestEvent>.Continuation
        (events, queue) = AsyncStream.makeStream()
        loop = Self.threads.next()
        self.application = application
        desk = .makeEmptyBox(valueType: Desk.self, eventLoop: loop)
        loop.execute { [desk, ledger, loop] in
            desk.value = Desk(
                application: application, readsEnhanced: readsEnhanced, limits: limits, ledger: ledger, loop: loop, report: { queue.yield($0) })
        }
    }

    /// An ingest that listens.
    public struct Listener: Sendable {
        fileprivate let channel: any Channel
        /// The port, for those who asked for any.
        public let port: Int
    }

    /// Opens the port.
    ///
    /// - Throws: The system's error.
    public func listen(host: String, port: Int) async throws -> Listener {
        let channel = try await ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [desk, application] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Connection(desk: desk.value!, application: application))
                }
            }
            .bind(host: host, port: port).get()
        return Listener(channel: channel, port: channel.localAddress?.port ?? port)
    }

    /// Closes the port and every connection; what a publisher sent still goes to its relay, which gets its end.
    public func close(_ listener: Listener?) async {
        try? await listener?.channel.close()
        try? await loop.submit { [desk] in desk.value?.close() }.get()
    }

    /// The input for a relay of whoever publishes.
    ///
    /// - Parameter time: The decoding time, in milliseconds of the stream, of the last picture that the relay before gave;
    ///   the new one begins with the keyframe at or before it. `nil` begins with the first that is kept.
    /// - Returns: The end to be read, owned by the caller, and whether the publisher is still there; `nil` when nobody
    ///   publishes.
    public func attach(after time: Int64?) async -> (Presence, SystemPackage.FileDescriptor)? {
        let attached = try? await loop.submit { [desk] in
            desk.value?.attach(after: time).map { ($0.presence, SystemPackage.FileDescriptor(rawValue: $0.input)) }
        }.get()
        return attached ?? nil
    }

    /// Says which picture came out of the relay last, by its decoding time in milliseconds of the stream: what is before the
    /// keyframe at or before it need not be kept.
    public func confirm(_ time: Int64) { loop.execute { [desk] in desk.value?.confirm(time) } }

    /// Turns the publisher away, because its relay can make nothing of what it sends.
    public func reject(_ why: String) { loop.execute { [desk] in desk.value?.reject(why) } }

    /// Lets others in from now on; a publisher whose key is right no more is turned away.
    public func admit(_ admission: Admission) { loop.execute { [desk] in desk.value?.setAdmission(admission) } }
}
