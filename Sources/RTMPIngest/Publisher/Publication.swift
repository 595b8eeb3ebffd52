package import DataPath
package import EventLoop
import RTMP
import Synchronization

/// One publisher's time on an ingest, from the right key to the end.
///
/// The ingest's thread lends the connection to the data path's, which reads it from then on and gives it back at the
/// end. Meanwhile they tell each other what is rare; when something came last is a number that both can read.
package final class Publication: @unchecked Sendable {
    /// Why the data path reads a connection no further.
    enum End: Sendable, Hashable {
        /// The channel does not want it any more. The publisher is still there.
        case notWanted
        /// Its connection has ended.
        case gone
        case violation(Violation)
        /// It publishes no more, and may ask again.
        case unpublished
        /// Its video is in a codec that a feed does not carry.
        case foreignVideo(VideoCoding)
    }

    let address: String
    let peer: Peer
    /// Of the ingest's thread, like what follows.
    private let home: EventLoop
    private weak var connection: Connection?
    private weak var admission: PublisherAdmission?
    /// Nothing that it sends becomes a picture: it gives way to another publisher as if it were silent.
    var isMute = false

    /// When it last sent something, in nanoseconds of the monotonic clock.
    private let lastMessage = Atomic(EventLoop.now())
    /// It is not read for now.
    private let isHeld = Atomic(true)
    /// It has left, and what it sent last has not been read.
    private let hasLeft = Atomic(false)
    /// The desk wants to be told of its next message.
    private let isAwaited = Atomic(false)

    /// The way to its inlet.
    private let reading = Mutex(Reading())
    private struct Reading: Sendable {
        var isRecalled = false
        var recall: (@Sendable (_ drains: Bool) -> Void)?
    }

    init(of connection: Connection, at admission: PublisherAdmission) {
        address = connection.address
        peer = connection.peer
        home = admission.loop
        self.connection = connection
        self.admission = admission
    }

    // MARK: On the ingest's thread

    /// Nanoseconds for which the publisher has been silent; none while it is not read.
    func silence(now: Int64) -> Int64 {
        if hasLeft.load(ordering: .relaxed) { return .max / 2 }
        return isHeld.load(ordering: .relaxed) ? 0 : now - lastMessage.load(ordering: .relaxed)
    }

    /// Has the desk told of the next message.
    func awaitMessage() { isAwaited.store(true, ordering: .releasing) }

    /// It is lent to the data path.
    func lend() { reading.withLock { $0 = Reading() } }

    /// Has the data path give it back.
    ///
    /// - Parameter drains: What has come is to be taken first.
    func recall(drains: Bool) {
        let recall = reading.withLock { reading in
            reading.isRecalled = true
            return reading.recall
        }
        recall?(drains)
    }

    // MARK: On the data path's thread

    /// What reads the publisher and gives its units to a channel.
    ///
    /// - Returns: `nil` where its socket cannot be watched; then the connection has been given back.
    package func makeReader(for owner: any UnitReaderDelegate, on loop: EventLoop) -> (any UnitReader)? {
        let unitReader = PublisherReader(self, owner: owner, loop: loop)
        let handle = PublisherReaderHandle(unitReader)
        let isRecalled = reading.withLock { reading in
            reading.recall = { drains in loop.execute { handle.unitReader?.recall(drains: drains) } }
            return reading.isRecalled
        }
        guard unitReader.begin() else { return nil }
        if isRecalled { recall(drains: false) }
        return unitReader
    }

    /// For a closure that only the data path's thread calls.
    private final class PublisherReaderHandle: @unchecked Sendable {
        weak var unitReader: PublisherReader?
        init(_ unitReader: PublisherReader) { self.unitReader = unitReader }
    }

    /// A message of media has come.
    func took(now: Int64) {
        lastMessage.store(now, ordering: .relaxed)
        guard isAwaited.load(ordering: .relaxed), isAwaited.exchange(false, ordering: .acquiring) else { return }
        home.execute { [self] in admission?.delivered(self) }
    }

    /// Many of its messages could not be used.
    func noted(_ faults: MediaFaults) { home.execute { [self] in admission?.noted(self, faults) } }

    /// It says what it sends.
    func announced(_ media: String) { home.execute { [self] in admission?.announced(self, media) } }

    /// Its socket is read, or is left alone for a while.
    func isHeld(_ isHeld: Bool, now: Int64 = EventLoop.now()) {
        if !isHeld { lastMessage.store(now, ordering: .relaxed) }
        self.isHeld.store(isHeld, ordering: .relaxed)
    }

    /// It has left while it was not read.
    func noteDeparture() { hasLeft.store(true, ordering: .relaxed) }

    /// The connection is the ingest's again.
    func giveBack(_ end: End) {
        isHeld(true)
        home.execute { [self] in connection?.comesBack(end) }
    }
}
