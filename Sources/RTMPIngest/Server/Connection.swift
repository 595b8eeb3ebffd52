import CLinux
import EventLoop
import Glibc
import RTMP

/// One connection to an ingest: a stranger first, and a publisher once it has shown the right key.
///
/// The data path reads a publisher: its connection is lent then, and what is to become of it waits until it is back.
final class Connection: EventLoop.Handler {
    /// What it is, as far as the desk is concerned.
    enum Standing {
        case stranger
        /// It waits until its key is looked at, or whether the publisher in its way is silent.
        case waiting
        case publisher(Publication)
        case refused
    }

    private let admission: PublisherAdmission
    private var loop: EventLoop { admission.loop }
    let peer: Peer
    let address: String
    /// What is counted as one address.
    let neighbourhood: String
    /// When it came.
    let came = EventLoop.now()
    var standing = Standing.stranger
    /// The name that it wants to publish under, until that is decided.
    private(set) var name: String?
    /// Events that the loop looks for; `nil` while it looks for none.
    private var watched: UInt32?
    private var mayRead = true
    /// The data path has it.
    private var isLent = false
    /// What becomes of it when the data path has given it back.
    private var whenBack: (() -> Void)?
    /// Nothing more is said to it.
    private var isSilent = false
    /// It has been refused, and is given time to read why.
    private(set) var isLeaving = false
    private var deadline: EventLoop.Appointment?

    /// Bytes that are read at once.
    static let readSize = 4 << 10

    /// - Parameter socket: Owned by the connection.
    init(_ socket: CInt, from address: NetworkAddress, admission: PublisherAdmission) {
        self.admission = admission
        self.address = address.text
        neighbourhood = address.neighbourhood
        peer = Peer(
            socket, session: PublishSession(application: admission.application, nonce: .random(in: 0...UInt64.max)))
    }

    func begin() {
        guard admission.admit(self) else { return close() }
        limit(admission.limits.handshake) { [unowned self] in admission.refuse(self, .handshake, nil) }
        watch()
    }

    // MARK: Socket

    func ready(_ events: UInt32) {
        if events & EPOLLOUT.rawValue != 0 { send() }
        guard peer.isOpen, !isLent else { return }
        if mayRead {
            read()
        } else if events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            if case .waiting = standing { return close() }
            // What a publisher left behind is read by the data path.
            loop.remove(peer.descriptor)
            watched = nil
        }
    }

    /// Has the loop look for what matters now.
    private func watch() {
        guard peer.isOpen, !isLent else { return }
        var events: UInt32 = peer.hasUnsent ? EPOLLOUT.rawValue : 0
        if mayRead { events |= EPOLLIN.rawValue } else if case .waiting = standing { events |= EPOLLRDHUP.rawValue }
        if watched == nil {
            guard loop.add(peer.descriptor, events: events, handler: self) else { return close() }
        } else if watched != events {
            loop.change(peer.descriptor, events: events)
        }
        watched = events
    }

    private func read() {
        if let count = peer.read(into: admission.room) {
            guard count > 0 else { return close() }
            process(Bytes(rebasing: admission.room[..<count]))
        }
        watch()
    }

    private func send() {
        guard peer.send() else { return close() }
        if isSilent, !peer.hasUnsent { peer.endOutput() }
        watch()
    }

    /// Hangs up.
    ///
    /// - Parameter drains: What a publisher has sent still goes out.
    func close(drains: Bool = false) {
        whenHere(drains: drains) { [self] in
            guard peer.isOpen else { return }
            if watched != nil { loop.remove(peer.descriptor) }
            watched = nil
            peer.close()
            if let deadline { loop.cancel(deadline) }
            admission.left(self)
            standing = .refused
        }
    }

    // MARK: Protocol

    private func process(_ bytes: Bytes) {
        if case .refused = standing { return }
        var rest = bytes
        do {
            events: while let event = try peer.session.next(&rest) {
                handle(event)
                switch standing {
                case .stranger: continue
                case .waiting, .publisher:
                    mayRead = false
                    peer.held += rest
                    break events
                case .refused: break events
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
            standing = .waiting
            self.name = name
            admission.ask(self)
        // The data path reads those.
        case .media, .data, .unpublish: break
        }
    }

    private func answer() {
        if peer.takeReply(), peer.isOpen { send() }
    }

    // MARK: The publisher

    func accept(_ publication: Publication) {
        standing = .publisher(publication)
        name = nil
        mayRead = false
        peer.media = MediaReader()
        peer.session.accept()
        answer()
        limit(admission.limits.idle, checkIdle)
    }

    /// Lends it to the data path.
    ///
    /// - Returns: `nil` where that has it, or it is no publisher.
    func lend() -> Publication? {
        guard case .publisher(let publication) = standing, !isLent, peer.isOpen else { return nil }
        if watched != nil { loop.remove(peer.descriptor) }
        watched = nil
        isLent = true
        publication.lend()
        return publication
    }

    /// The data path has given it back.
    func comesBack(_ end: Publication.End) {
        isLent = false
        admission.note(peer.media.faults)
        if let whenBack {
            self.whenBack = nil
            return whenBack()
        }
        switch end {
        case .notWanted: break
        case .gone: close()
        case .violation(let violation): admission.violated(self, violation)
        case .unpublished: admission.left(self, stays: true)
        case .foreignVideo(let coding): admission.reject(self, coding)
        }
    }

    /// - Parameter drains: What it has sent is to be taken first.
    private func whenHere(drains: Bool = false, _ body: @escaping () -> Void) {
        guard isLent, case .publisher(let publication) = standing else { return body() }
        whenBack = body
        publication.recall(drains: drains)
    }

    private func checkIdle() {
        guard case .publisher(let publication) = standing else { return }
        let left = admission.limits.idle.wholeNanoseconds - publication.silence(now: EventLoop.now())
        guard left > 0 else { return admission.isIdle(self) }
        limit(.nanoseconds(left), checkIdle)
    }

    /// It publishes no more, and may ask again.
    func becomeStranger() {
        standing = .stranger
        mayRead = true
        limit(admission.limits.handshake) { [unowned self] in close() }
        let came = peer.held
        peer.held = []
        came.withUnsafeBytes(process)
        watch()
    }

    // MARK: Refusing

    /// Tells it why and hangs up.
    ///
    /// - Parameters:
    ///   - lingers: Whether it has time to read that.
    ///   - isTold: Called once it has been told.
    func refuse(_ refusal: PublishSession.Refusal?, lingers: @escaping () -> Bool, isTold: @escaping () -> Void) {
        whenHere { [self] in
            guard peer.isOpen else { return }
            standing = .refused
            name = nil
            if let refusal { peer.session.refuse(refusal) }
            peer.held = []
            // Closed at once, with bytes of the peer unread, the answer could be lost on its way.
            mayRead = true
            isSilent = true
            _ = peer.takeReply()
            let hasWords = peer.hasUnsent
            send()
            guard lingers(), hasWords, peer.isOpen else { return close() }
            isLeaving = true
            isTold()
            limit(admission.limits.farewell) { [unowned self] in close() }
        }
    }

    private func limit(_ time: Duration, _ action: @escaping () -> Void) {
        if let deadline { loop.cancel(deadline) }
        guard peer.isOpen else { return }
        deadline = loop.at(EventLoop.now() + time.wholeNanoseconds, action)
    }
}
