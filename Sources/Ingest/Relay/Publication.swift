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
    /// Nothing that it sends becomes a picture: it gives way to another publisher as if it were silent.
    var isMute = false
    private let limits: IngestLimits
    private let ledger: IngestLedger
    private var window: MediaWindow
    private var pipe: RelayPipe?
    private var demand: Demand?
    private let loop: EventLoop
    /// Called when there is room again for what the publisher sends.
    var hasRoom: () -> Void = {}
    /// Since when the publisher is not read, because its relay does not keep up, and the relay has taken nothing.
    private var heldSince: Int64? {
        didSet { ledger.isHeld(heldSince != nil) }
    }

    init(address: String, limits: IngestLimits, ledger: IngestLedger, loop: EventLoop) {
        self.address = address
        self.limits = limits
        self.ledger = ledger
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
        if !window.isFull { heldSince = nil } else if heldSince == nil { heldSince = now }
        return heldSince == nil
    }

    /// When the publisher is to be read again: so much before its pictures are wanted that the relay is done with them.
    func nextReading(now: Int64) -> Int64 { demand.map { $0.turn(after: now + Self.relayTime) - Self.relayTime } ?? now }

    /// Nanoseconds.
    private static let relayTime: Int64 = 10_000_000

    /// Nanoseconds that the publisher has been silent; none while it is not read, for as long as another relay may take to go on.
    func silence(now: Int64) -> Int64 {
        if let heldSince, now - heldSince < limits.relayDelay.wholeNanoseconds { 0 } else { now - lastMedia }
    }

    // MARK: Out

    /// The relay has given the picture of this time.
    func confirm(_ time: Int64) { window.confirm(time) }

    /// - Returns: A relay's end of a pipe, owned by the caller; `nil` when there are no descriptors left.
    func attach(after time: Int64?, for demand: Demand?) -> CInt? {
        pipe?.close()
        guard let (next, end) = RelayPipe.make(on: loop, head: window.begin(after: time), source: take, closed: { [weak self] in self?.letGo() }) else { return nil }
        self.demand = demand
        pipe = next
        next.pump()
        return end
    }

    private func take() -> [UInt8]? {
        let now = EventLoop.now()
        let piece = window.take(now: now)
        guard heldSince != nil else { return piece }
        if window.hasRoom {
            heldSince = nil
            lastMedia = now
            loop.at(now, hasRoom)
        } else if piece != nil {
            // One that sends faster than real time may have to wait for long.
            heldSince = now
        }
        return piece
    }

    /// The publisher has gone: the relay gets the rest, and the end.
    func end() {
        presence.end()
        window.seal(now: EventLoop.now())
        heldSince = nil
        if let pipe { pipe.end() } else { letGo() }
    }

    func close() {
        presence.end()
        pipe?.close()
    }

    /// Nobody takes the rest of a publisher that has gone.
    private func letGo() {
        if !presence.goesOn { window = MediaWindow(limits: limits) }
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
