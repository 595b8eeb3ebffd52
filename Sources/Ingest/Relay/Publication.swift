import Polling
import RTMP
import Synchronization

/// One publisher's time on the ingest, from the right key to the end. A relay may come and go meanwhile.
final class Publication {
    /// Whether it goes on, for other threads.
    let presence = Presence()
    let address: String
    /// When the publisher last sent something.
    private(set) var lastMedia: Int64
    private var window: MediaWindow
    private var pipe: RelayPipe?
    private var demand: Demand?
    private let loop: EventLoop
    /// Called when there is room again for what the publisher sends.
    var hasRoom: () -> Void = {}
    /// The publisher is not read, because its relay does not keep up.
    private(set) var isHeld = false

    init(address: String, limits: IngestLimits, loop: EventLoop) {
        self.address = address
        self.loop = loop
        window = MediaWindow(limits: limits)
        lastMedia = EventLoop.now()
    }

    // MARK: In

    func take(_ message: MediaMessage, _ header: MessageHeader, _ bytes: Bytes, now: Int64) {
        lastMedia = now
        window.append(message, header, bytes, now: now)
    }

    /// What was read at once has been taken.
    ///
    /// - Returns: Whether the publisher may be read further.
    func pause(now: Int64) -> Bool {
        window.seal(now: now)
        pipe?.pump()
        isHeld = window.isFull
        return !isHeld
    }

    /// When the publisher is to be read again: so much before its pictures are wanted that the relay is done with them.
    func nextReading(now: Int64) -> Int64 { demand.map { $0.turn(after: now + Self.relayTime) - Self.relayTime } ?? now }

    /// Nanoseconds.
    private static let relayTime: Int64 = 10_000_000

    /// Nanoseconds that the publisher has been silent; none while it is not read.
    func silence(now: Int64) -> Int64 { isHeld ? 0 : now - lastMedia }

    // MARK: Out

    /// The relay has given the picture of this time.
    func confirm(_ time: Int64) { window.confirm(time) }

    /// - Returns: A relay's end of a pipe, owned by the caller; `nil` when there are no descriptors left.
    func attach(after time: Int64?, for demand: Demand?) -> CInt? {
        pipe?.close()
        guard let (next, end) = RelayPipe.make(on: loop, head: window.begin(after: time), source: take) else { return nil }
        self.demand = demand
        pipe = next
        next.pump()
        return end
    }

    private func take() -> [UInt8]? {
        let now = EventLoop.now()
        let piece = window.take(now: now)
        if isHeld, window.hasRoom {
            isHeld = false
            lastMedia = now
            loop.at(now, hasRoom)
        }
        return piece
    }

    /// The publisher has gone: the relay gets the rest, and the end.
    func end() {
        presence.end()
        window.seal(now: EventLoop.now())
        pipe?.end()
    }

    func close() {
        presence.end()
        pipe?.close()
    }
}

/// Whether a publication goes on, and which it is.
public final class Presence: Sendable {
    private let isOn = Atomic(true)

    init() {}

    /// The publisher is connected: a relay that ends now is followed by another one.
    public var goesOn: Bool { isOn.load(ordering: .acquiring) }

    func end() { isOn.store(false, ordering: .releasing) }
}
