package import DataPath
package import EventLoop
import RTMP
import Synchronization

/// One publisher, from the right key until it stops publishing.
///
/// The ingest's thread lends the connection to the data path's thread, which reads it and returns it at the end. The
/// two threads send each other rare events. The time of the last message is an atomic number that both can read.
package final class Publication: @unchecked Sendable {
    /// Why the data path stops reading a connection.
    enum End: Sendable, Hashable {
        /// The channel no longer wants it. The publisher is still connected.
        case notWanted
        /// Its connection has ended.
        case gone
        case violation(Violation)
        /// It has stopped publishing, and may ask again.
        case unpublished
        /// Its video is in a codec that a feed cannot carry.
        case foreignVideo(VideoCoding)
    }

    let address: String
    let peer: Peer
    // Used only on the ingest's thread:
    private let home: EventLoop
    private weak var connection: Connection?
    private weak var admission: PublisherAdmission?
    /// Whether its data contains no usable video: another publisher may replace it as if it were silent.
    var sendsNoVideo = false

    /// The time of its last message, in nanoseconds of the monotonic clock.
    private let lastMessage = Atomic(EventLoop.now())
    /// The data path does not read its socket.
    private let isHeld = Atomic(true)
    /// It has left, and its last data is not read yet.
    private let hasLeft = Atomic(false)
    /// The admission waits for its next message.
    private let isAwaited = Atomic(false)

    /// Connects the ingest's thread with the reader on the data path's thread.
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

    /// Nanoseconds for which the publisher has been silent; 0 while its socket is not read.
    func silence(now: Int64) -> Int64 {
        if hasLeft.load(ordering: .relaxed) { return .max / 2 }
        return isHeld.load(ordering: .relaxed) ? 0 : now - lastMessage.load(ordering: .relaxed)
    }

    /// Makes the next message call ``PublisherAdmission/delivered(_:)``.
    func awaitMessage() { isAwaited.store(true, ordering: .releasing) }

    /// Called when the connection is lent to the data path.
    func lend() { reading.withLock { $0 = Reading() } }

    /// Asks the data path to return the connection.
    ///
    /// - Parameter drains: Whether it first takes the data that has already arrived.
    func recall(drains: Bool) {
        let recall = reading.withLock { reading in
            reading.isRecalled = true
            return reading.recall
        }
        recall?(drains)
    }

    // MARK: On the data path's thread

    /// Creates the reader that gives the publisher's access units to a channel.
    ///
    /// - Returns: `nil` if its socket cannot be watched; the connection has then been returned.
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

    /// Carries the reader into a closure that runs only on the data path's thread.
    private final class PublisherReaderHandle: @unchecked Sendable {
        weak var unitReader: PublisherReader?
        init(_ unitReader: PublisherReader) { self.unitReader = unitReader }
    }

    /// Called for each media message.
    func noteMessage(now: Int64) {
        lastMessage.store(now, ordering: .relaxed)
        guard isAwaited.load(ordering: .relaxed), isAwaited.exchange(false, ordering: .acquiring) else { return }
        home.execute { [self] in admission?.delivered(self) }
    }

    /// Called when many of its messages could not be used.
    func noted(_ faults: MediaFaults) { home.execute { [self] in admission?.noted(self, faults) } }

    /// Called when it announces its media.
    func announced(_ media: String) { home.execute { [self] in admission?.announced(self, media) } }

    /// Called when its socket is read again, or is not read for a while.
    func setHeld(_ isHeld: Bool, now: Int64 = EventLoop.now()) {
        if !isHeld { lastMessage.store(now, ordering: .relaxed) }
        self.isHeld.store(isHeld, ordering: .relaxed)
    }

    /// Called when it has left while its socket was not read.
    func noteDeparture() { hasLeft.store(true, ordering: .relaxed) }

    /// Returns the connection to the ingest.
    func giveBack(_ end: End) {
        setHeld(true)
        home.execute { [self] in connection?.returned(end) }
    }
}
