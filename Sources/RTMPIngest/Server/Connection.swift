import CLinux
import EventLoop
import Glibc
import RTMP

/// One connection to an ingest: unauthenticated at first, and a publisher after it has sent the right key.
///
/// The data path reads a publisher. The connection is then lent, and everything that is to happen to it waits until it
/// is returned.
final class Connection: EventLoop.Handler {
    enum State {
        case unauthenticated
        /// It has asked to publish. Its key is not checked yet, or it waits until the present publisher is silent.
        case waiting
        case publisher(Publication)
        case rejected
    }

    private let admission: PublisherAdmission
    private var loop: EventLoop { admission.loop }
    let peer: Peer
    let address: String
    /// The network that the limits of a client apply to.
    let clientNetwork: String
    /// When it was accepted.
    let connectedAt = EventLoop.now()
    var state = State.unauthenticated
    /// The name that it asks to publish under, until it is accepted or rejected.
    private(set) var name: String?
    /// The events that the loop waits for. `nil` if it waits for none.
    private var watched: UInt32?
    private var mayRead = true
    /// Whether the data path reads it.
    private var isLent = false
    /// The step that follows once the data path has returned it.
    private var onReturn: (() -> Void)?
    /// Whether the answer that is being sent is the last one.
    private var endsOutput = false
    /// Whether it has been rejected, and stays open so that the client can read the reason.
    private(set) var isLingering = false
    private var deadline: EventLoop.Timer?

    /// Bytes that are read at once.
    static let readSize = 4 << 10

    /// - Parameter socket: Owned by the connection.
    init(_ socket: CInt, from address: NetworkAddress, admission: PublisherAdmission) {
        self.admission = admission
        self.address = address.text
        clientNetwork = address.clientNetwork
        peer = Peer(
            socket, session: PublishSession(application: admission.application, nonce: .random(in: 0...UInt64.max)))
    }

    func begin() {
        guard admission.admit(self) else { return close() }
        setDeadline(admission.limits.handshake) { [unowned self] in admission.refuse(self, .handshake, nil) }
        watch()
    }

    // MARK: Socket

    func ready(_ events: UInt32) {
        if events & EPOLLOUT.rawValue != 0 { send() }
        guard peer.isOpen, !isLent else { return }
        if mayRead {
            read()
        } else if events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            if case .waiting = state { return close() }
            // The data path reads what a publisher sent before it left.
            loop.remove(peer.descriptor)
            watched = nil
        }
    }

    /// Sets the events that the loop waits for.
    private func watch() {
        guard peer.isOpen, !isLent else { return }
        var events: UInt32 = peer.hasUnsent ? EPOLLOUT.rawValue : 0
        if mayRead { events |= EPOLLIN.rawValue } else if case .waiting = state { events |= EPOLLRDHUP.rawValue }
        if watched == nil {
            guard loop.add(peer.descriptor, events: events, handler: self) else { return close() }
        } else if watched != events {
            loop.change(peer.descriptor, events: events)
        }
        watched = events
    }

    private func read() {
        if let count = peer.read(into: admission.readBuffer) {
            guard count > 0 else { return close() }
            process(Bytes(rebasing: admission.readBuffer[..<count]))
        }
        watch()
    }

    private func send() {
        guard peer.send() else { return close() }
        if endsOutput, !peer.hasUnsent { peer.endOutput() }
        watch()
    }

    /// Closes the connection.
    ///
    /// - Parameter drains: Whether the channel first gets the data that the publisher has already sent.
    func close(drains: Bool = false) {
        whenReturned(drains: drains) { [self] in
            guard peer.isOpen else { return }
            if watched != nil { loop.remove(peer.descriptor) }
            watched = nil
            peer.close()
            if let deadline { loop.cancel(deadline) }
            admission.connectionEnded(self)
            state = .rejected
        }
    }

    // MARK: Protocol

    private func process(_ bytes: Bytes) {
        if case .rejected = state { return }
        var rest = bytes
        do {
            events: while let event = try peer.session.next(&rest) {
                handle(event)
                switch state {
                case .unauthenticated: continue
                case .waiting, .publisher:
                    mayRead = false
                    peer.unparsed += rest
                    break events
                case .rejected: break events
                }
            }
            answer()
        } catch {
            admission.violated(self, error)
        }
    }

    private func handle(_ event: PublishSession.Event) {
        switch event {
        case .wrongApplication: admission.refuse(self, .application, nil)
        case .publish(let name):
            state = .waiting
            self.name = name
            admission.requestPublish(self)
        // Only a publisher sends these, and the data path reads it.
        case .media, .data, .unpublish: break
        }
    }

    private func answer() {
        if peer.takeReply(), peer.isOpen { send() }
    }

    // MARK: The publisher

    func accept(_ publication: Publication) {
        state = .publisher(publication)
        name = nil
        mayRead = false
        peer.media = MediaReader()
        peer.session.accept()
        answer()
        setDeadline(admission.limits.idle, checkIdle)
    }

    /// Lends it to the data path.
    ///
    /// - Returns: `nil` if it is lent already, or is not a publisher.
    func lend() -> Publication? {
        guard case .publisher(let publication) = state, !isLent, peer.isOpen else { return nil }
        if watched != nil { loop.remove(peer.descriptor) }
        watched = nil
        isLent = true
        publication.lend()
        return publication
    }

    /// Called when the data path has returned it.
    func returned(_ end: Publication.End) {
        isLent = false
        admission.reportFaults(peer.media.faults)
        if let onReturn {
            self.onReturn = nil
            return onReturn()
        }
        switch end {
        case .notWanted: break
        case .gone: close()
        case .violation(let violation): admission.violated(self, violation)
        case .unpublished: admission.connectionEnded(self, staysOpen: true)
        case .foreignVideo(let coding): admission.reject(self, coding)
        }
    }

    /// Calls `body` once the data path no longer reads the connection.
    ///
    /// - Parameter drains: Whether the data path first takes the data that has already arrived.
    private func whenReturned(drains: Bool = false, _ body: @escaping () -> Void) {
        guard isLent, case .publisher(let publication) = state else { return body() }
        onReturn = body
        publication.recall(drains: drains)
    }

    private func checkIdle() {
        guard case .publisher(let publication) = state else { return }
        let left = admission.limits.idle.wholeNanoseconds - publication.silence(now: EventLoop.now())
        guard left > 0 else { return admission.closeIdle(self) }
        setDeadline(.nanoseconds(left), checkIdle)
    }

    /// It has stopped publishing, and may ask to publish again.
    func becomeUnauthenticated() {
        state = .unauthenticated
        mayRead = true
        setDeadline(admission.limits.handshake) { [unowned self] in close() }
        let unparsed = peer.unparsed
        peer.unparsed = []
        unparsed.withUnsafeBytes(process)
        watch()
    }

    // MARK: Rejecting

    /// Sends an answer and closes the connection.
    ///
    /// - Parameters:
    ///   - mayLinger: Whether the connection may stay open until the client has read the answer.
    ///   - onLinger: Called if it stays open.
    func refuse(
        _ refusal: PublishSession.Refusal?, mayLinger: @escaping () -> Bool, onLinger: @escaping () -> Void
    ) {
        whenReturned { [self] in
            guard peer.isOpen else { return }
            state = .rejected
            name = nil
            if let refusal { peer.session.refuse(refusal) }
            peer.unparsed = []
            // If a socket is closed with unread bytes, the answer can be lost on its way.
            mayRead = true
            endsOutput = true
            _ = peer.takeReply()
            let hasAnswer = peer.hasUnsent
            send()
            guard mayLinger(), hasAnswer, peer.isOpen else { return close() }
            isLingering = true
            onLinger()
            setDeadline(admission.limits.linger) { [unowned self] in close() }
        }
    }

    private func setDeadline(_ time: Duration, _ action: @escaping () -> Void) {
        if let deadline { loop.cancel(deadline) }
        guard peer.isOpen else { return }
        deadline = loop.at(EventLoop.now() + time.wholeNanoseconds, action)
    }
}
