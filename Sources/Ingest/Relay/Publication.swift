import NIOCore
import RTMP
import Synchronization

/// One publisher's time on the ingest, from the right key to the end. A relay may come and go meanwhile.
final class Publication {
    /// Whether it goes on, for other threads.
    let presence = Presence()
    let address: String
    /// When the publisher last sent something.
    private(set) var lastMedia: NIODeadline
    private var window: MediaWindow
    private var pipe: RelayPipe?
    private let loop: any EventLoop
    /// Called when there is room again for what the publisher sends.
    var hasRoom: () -> Void = {}
    /// The publisher is not read, because its relay does not keep up.
    private(set) var isHeld = false

    init(address: String, limits: IngestLimits, loop: any EventLoop) {
        self.address = address
        self.loop = loop
        window = MediaWindow(limits: limits)
        lastMedia = .now()
    }

    // MARK: In

    func take(_ message: MediaMessage, _ header: MessageHeader, _ bytes: UnsafeRawBufferPointer, now: NIODeadline) {
        lastMedia = now
        window.append(message, header, bytes, now: now)
    }

    /// What was read at once has been taken.
    ///
    /// - Returns: Whether the publisher may be read further.
    func pause(now: NIODeadline) -> Bool {
        window.seal(now: now)
        pipe?.pump()
        isHeld = window.isFull
        return !isHeld
    }

    /// How long the publisher has been silent; never while it is not read.
    func silence(now: NIODeadline) -> TimeAmount { isHeld ? .zero : now - lastMedia }

    // MARK: Out

    /// The relay has given the picture of this time.
    func confirm(_ time: Int64) { window.confirm(time) }

    /// - Returns: A relay's end of a pipe, owned by the caller; `nil` when there are no descriptors left.
    func attach(after time: Int64?) -> CInt? {
        pipe?.close()
        let next = RelayPipe(head: window.begin(after: time), source: { [unowned self] in take() }, ended: { [weak self] in self?.pipe = nil })
        guard let end = next.open(on: loop) else { return nil }
        pipe = next
        return end
    }

    private func take() -> ByteBuffer? {
        let now = NIODeadline.now()
        let piece = window.take(now: now)
        if isHeld, window.hasRoom {
            isHeld = false
            lastMedia = now
            loop.assumeIsolated().execute(hasRoom)
        }
        return piece
    }

    /// The publisher has gone: the relay gets the rest, and the end.
    func end() {
        presence.end()
        window.seal(now: .now())
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
