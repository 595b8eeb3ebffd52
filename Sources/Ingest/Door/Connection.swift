import CLinux
import Glibc
import Polling
import RTMP

/// One connection to an ingest: a stranger first, and a publisher once it has shown the right key.
final class Connection: EventLoop.Handler {
    /// What it is, as far as the desk is concerned.
    enum Standing {
        case stranger
        /// It waits until its key is looked at, or whether the publisher in its way is silent.
        case waiting
        case publisher(Publication)
        case refused
    }

    private let desk: Desk
    private var loop: EventLoop { desk.loop }
    let address: String
    /// What is counted as one address.
    let neighbourhood: String
    /// When it came.
    let came = EventLoop.now()
    var standing = Standing.stranger
    /// The name that it wants to publish under, until that is decided.
    private(set) var name: String?
    private var session: PublishSession
    private var socket: CInt
    /// Events that the loop looks for; `nil` while it looks for none.
    private var watched: UInt32?
    /// What came and is not to be looked at yet.
    private var held: [UInt8] = []
    /// There is more to look at, be it only of a message that has come whole.
    private var isBehind = false
    private var mayRead = true
    /// Answers that the peer has not taken.
    private var unsent: [UInt8] = []
    /// Nothing more is said to it.
    private var isSilent = false
    /// It has been refused, and is given time to read why.
    private(set) var isLeaving = false
    private var deadline: EventLoop.Appointment?

    /// Answers that a peer may leave unread.
    private static let mostUnsent = 64 << 10
    /// Bytes that one read may take, of a publisher and of others together.
    static let readSize = 64 << 10
    /// Of that, for somebody who has not shown a key.
    private static let strangersReadSize = 4 << 10
    /// Reads of a publisher before others have their turn; of others it is one.
    private static let mostReads = 4
    /// Messages that are taken of one read before others have their turn.
    private static let mostMessages = 2000

    /// - Parameter socket: Owned by the connection.
    init(_ socket: CInt, from address: NetworkAddress, desk: Desk) {
        self.socket = socket
        self.desk = desk
        self.address = address.text
        neighbourhood = address.neighbourhood
        session = PublishSession(application: desk.application, nonce: .random(in: 0...UInt64.max))
    }

    func begin() {
        guard desk.admit(self) else { return close() }
        limit(desk.limits.handshake) { [unowned self] in desk.refuse(self, .handshake, nil) }
        watch()
    }

    // MARK: Socket

    func ready(_ events: UInt32) {
        if events & EPOLLOUT.rawValue != 0 { send() }
        guard socket >= 0 else { return }
        if mayRead {
            read()
        } else if events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            if case .waiting = standing { return close() }
            // What a publisher left behind is read later.
            loop.remove(socket)
            watched = nil
        }
    }

    /// Has the loop look for what matters now.
    private func watch() {
        guard socket >= 0 else { return }
        var events: UInt32 = unsent.isEmpty ? 0 : EPOLLOUT.rawValue
        if mayRead { events |= EPOLLIN.rawValue } else if case .waiting = standing { events |= EPOLLRDHUP.rawValue }
        if watched == nil {
            guard loop.add(socket, events: events, handler: self) else { return close() }
        } else if watched != events {
            loop.change(socket, events: events)
        }
        watched = events
    }

    private func read() {
        let isPublisher = if case .publisher = standing { true } else { false }
        let size = isPublisher ? desk.room.count : Self.strangersReadSize
        for _ in 0..<(isPublisher ? Self.mostReads : 1) where mayRead && socket >= 0 {
            let count = Glibc.read(socket, desk.room.baseAddress!, size)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return settle(isDrained: true) }
            guard count > 0 else { return close() }
            process(Bytes(rebasing: desk.room[..<count]))
        }
        settle(isDrained: false)
    }

    /// What was read has been taken.
    private func settle(isDrained: Bool) {
        if case .publisher(let publication) = standing, mayRead {
            let now = EventLoop.now()
            let next = publication.nextReading(now: now)
            if !publication.pause(now: now) {
                mayRead = false
            } else if isDrained, next > now {
                // What comes until then would wake the loop for nobody.
                mayRead = false
                loop.at(next) { [weak self] in self?.resume() }
            }
        }
        watch()
    }

    private func send() {
        while !unsent.isEmpty, socket >= 0 {
            let count = Glibc.send(socket, unsent, unsent.count, CInt(MSG_NOSIGNAL))
            if count > 0 {
                unsent.removeFirst(count)
            } else if errno != EINTR {
                // A peer that takes no answers is not served.
                if errno != EAGAIN || unsent.count > Self.mostUnsent { return close() }
                break
            }
        }
        if isSilent, unsent.isEmpty, socket >= 0 { shutdown(socket, CInt(SHUT_WR)) }
        watch()
    }

    /// Hangs up.
    func close() {
        guard socket >= 0 else { return }
        if watched != nil { loop.remove(socket) }
        Glibc.close(socket)
        socket = -1
        if let deadline { loop.cancel(deadline) }
        desk.left(self)
    }

    // MARK: Protocol

    private func process(_ bytes: Bytes) {
        if case .refused = standing { return }
        let now = EventLoop.now()
        var rest = bytes
        var messages = 0
        do {
            events: while let event = try session.next(&rest) {
                handle(event, now: now)
                messages += 1
                switch standing {
                case .stranger: continue
                case .publisher(let publication):
                    guard messages == Self.mostMessages else { continue }
                    setAside(rest, of: publication, now: now)
                    break events
                case .waiting:
                    mayRead = false
                    held += rest
                    break events
                case .refused: break events
                }
            }
            answer()
        } catch {
            desk.violated(self, error)
        }
    }

    /// What one read brought takes long: others have their turn first.
    private func setAside(_ bytes: Bytes, of publication: Publication, now: Int64) {
        mayRead = false
        isBehind = true
        held += bytes
        if publication.pause(now: now) { loop.at(now) { [weak self] in self?.resume() } }
    }

    private func handle(_ event: PublishSession.Event, now: Int64) {
        switch event {
        case .wrongApplication: desk.refuse(self, .application, nil)
        case .publish(let name):
            standing = .waiting
            self.name = name
            desk.ask(self)
        case .media(let header):
            guard case .publisher(let publication) = standing else { return }
            let message = session.withMedia { bytes in
                let message = MediaMessage(header, bytes)
                if !message.isEmpty { publication.take(message, header, bytes, now: now) }
                return message
            }
            desk.took(message, from: self, now: now)
        case .unpublish:
            desk.left(self, stays: true)
        }
    }

    /// Reads on.
    private func resume() {
        guard !mayRead, socket >= 0 else { return }
        mayRead = true
        let came = held
        let wasBehind = isBehind
        held = []
        isBehind = false
        if !came.isEmpty || wasBehind { came.withUnsafeBytes(process) }
        read()
    }

    private func answer() {
        let reply = session.takeReply()
        guard !reply.isEmpty, socket >= 0 else { return }
        unsent += reply
        send()
    }

    // MARK: For the desk

    func accept(_ publication: Publication) {
        standing = .publisher(publication)
        name = nil
        session.accept()
        answer()
        publication.hasRoom = { [weak self] in self?.resume() }
        limit(desk.limits.idle, checkIdle)
        // What came with the request.
        loop.at(EventLoop.now()) { [weak self] in self?.resume() }
    }

    private func checkIdle() {
        guard case .publisher(let publication) = standing else { return }
        let now = EventLoop.now()
        let left = desk.limits.idle.wholeNanoseconds - publication.silence(now: now)
        guard left > 0 else { return desk.isIdle(self) }
        limit(.nanoseconds(left), checkIdle)
    }

    /// It publishes no more, and may ask again.
    func becomeStranger() {
        standing = .stranger
        limit(desk.limits.handshake) { [unowned self] in close() }
    }

    /// Tells it why and hangs up.
    ///
    /// - Parameter lingers: After it has had time to read it.
    func refuse(_ refusal: PublishSession.Refusal?, lingers: Bool = true) {
        standing = .refused
        name = nil
        if let refusal { session.refuse(refusal) }
        held = []
        isBehind = false
        // Closed at once, with bytes of the peer unread, the answer could be lost on its way.
        mayRead = true
        isSilent = true
        unsent += session.takeReply()
        let hasWords = !unsent.isEmpty
        send()
        guard lingers, hasWords, socket >= 0 else { return close() }
        isLeaving = true
        limit(desk.limits.farewell) { [unowned self] in close() }
    }

    private func limit(_ time: Duration, _ action: @escaping () -> Void) {
        if let deadline { loop.cancel(deadline) }
        guard socket >= 0 else { return }
        deadline = loop.at(EventLoop.now() + time.wholeNanoseconds, action)
    }
}
