import EventLoop
import RTMP

/// Decides who publishes. Everything here belongs to the ingest's thread.
final class PublisherAdmission {
    let limits: IngestLimits
    let application: String
    private var admission = Admission.nobody
    private let statistics: IngestStatistics
    private let report: @Sendable (IngestEvent) -> Void
    let loop: EventLoop
    /// For what is read at a time; between two reads it is free.
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Connection.readSize, alignment: 16)

    private var addresses = ClientThrottle()
    private var reports = ReportLimit()
    private var turnover = TakeoverRateLimiter()
    /// Those that have not shown a key, oldest first.
    private var strangers: [Connection] = []
    /// Connections that have been refused, and are given time to read why.
    private var leaving = 0
    private var publisher: Connection?
    private var publication: Publication?
    /// It has the right key, and waits whether the publisher is silent.
    private var challenger: Connection?
    private var isClosed = false

    init(
        application: String, limits: IngestLimits, statistics: IngestStatistics, loop: EventLoop,
        report: @escaping @Sendable (IngestEvent) -> Void
    ) {
        self.application = application
        self.limits = limits
        self.statistics = statistics
        self.loop = loop
        self.report = report
    }

    deinit { room.deallocate() }

    // MARK: Coming and going

    /// - Returns: `false` when there is no place.
    func admit(_ connection: Connection) -> Bool {
        guard !isClosed else { return false }
        let address = connection.neighbourhood
        if addresses.strangers(of: address) >= limits.strangersPerAddress {
            guard makeRoom(of: address, looks: true) else { return refuseUnseen(connection) }
        } else if strangers.count >= limits.strangers {
            let now = EventLoop.now()
            let claims = { (address: String) in
                (self.addresses.strangers(of: address), self.addresses.delay(for: address, now: now))
            }
            let greediest = strangers.map(\.neighbourhood).max { claims($0) < claims($1) }
            guard makeRoom(of: greediest ?? address, looks: false) else { return refuseUnseen(connection) }
        }
        addresses.came(address, now: EventLoop.now())
        strangers.append(connection)
        return true
    }

    /// Somebody of an address gives way: who has not asked for longer than that takes, then the one whose key has
    /// waited for the longest, where wrong ones have come from there, and then whoever has been there for the longest.
    ///
    /// Who gives way with a key is not told whether it is wrong, or keys could be tried as fast as others connect.
    ///
    /// - Parameter looks: Now and then such a key is looked at: among wrong ones of its own address a right one has no
    ///   other chance.
    private func makeRoom(of address: String, looks: Bool) -> Bool {
        let now = EventLoop.now()
        let there = strangers.filter { $0.neighbourhood == address && $0 !== challenger }
        let asking = there.filter { if case .stranger = $0.standing { true } else { false } }
        if let idle = asking.first, now - idle.came > Self.timeToAsk { return giveWay(idle) }
        if addresses.delay(for: address, now: now) > 0 {
            for candidate in there {
                guard case .waiting = candidate.standing else { continue }
                guard looks, addresses.mayLookEarly(at: address, every: limits.earlyLook.wholeNanoseconds, now: now)
                else { return giveWay(candidate) }
                judge(candidate)
                // With the right key it may have to wait for the publisher.
                if !strangers.contains(where: { $0 === candidate }) { return true }
            }
        }
        return asking.first.map(giveWay) ?? false
    }

    /// Nanoseconds within which an encoder asks to publish, on most lines.
    private static let timeToAsk: Int64 = 1_000_000_000

    private func giveWay(_ connection: Connection) -> Bool {
        refuse(connection, .connections, nil, isSilent: true)
        return true
    }

    private func refuseUnseen(_ connection: Connection) -> Bool {
        connection.standing = .refused
        count(.connections, connection.address, nil)
        return false
    }

    /// - Parameter stays: It publishes no more, and keeps its connection.
    func left(_ connection: Connection, stays: Bool = false) {
        if connection.isLeaving { leaving -= 1 }
        // Who hangs up before the answer has tried nonetheless.
        if case .waiting = connection.standing, connection !== challenger, let name = connection.name, !admits(name) {
            addresses.failed(connection.neighbourhood, now: EventLoop.now())
            count(.key, connection.address, nil)
        }
        forget(connection)
        guard connection === publisher else { return }
        end(.left)
        guard stays else { return }
        addresses.came(connection.neighbourhood, now: EventLoop.now())
        strangers.append(connection)
        connection.becomeStranger()
    }

    /// It is no stranger any more.
    private func forget(_ connection: Connection) {
        if connection === challenger { challenger = nil }
        guard let index = strangers.firstIndex(where: { $0 === connection }) else { return }
        strangers.remove(at: index)
        addresses.went(connection.neighbourhood, now: EventLoop.now())
    }

    // MARK: Asking

    /// A connection wants to publish.
    func ask(_ connection: Connection) {
        let delay = addresses.delay(for: connection.neighbourhood, now: EventLoop.now())
        // Right or wrong: a right key that is answered sooner would tell.
        if delay > 0 { judge(connection, in: delay) } else { judge(connection) }
    }

    /// - Parameter delay: In nanoseconds.
    private func judge(_ connection: Connection, in delay: Int64) {
        loop.at(EventLoop.now() + delay) { [weak self, weak connection] in
            guard let self, let connection, case .waiting = connection.standing else { return }
            judge(connection)
        }
    }

    private func admits(_ name: String) -> Bool {
        switch admission {
        case .anybody: true
        case .holders(let key): key.admits(name)
        case .nobody: false
        }
    }

    private func judge(_ connection: Connection) {
        guard admits(connection.name ?? "") else { return refuse(connection, .key, .badName) }
        addresses.succeeded(connection.neighbourhood)
        challenge(connection)
    }

    /// It may publish as soon as nobody else delivers.
    private func challenge(_ connection: Connection) {
        guard let publication else {
            let wait = turnover.take(now: EventLoop.now())
            return wait > 0 ? judge(connection, in: wait) : accept(connection)
        }
        guard challenger == nil else { return refuse(connection, .busy, .busy) }
        challenger = connection
        publication.awaitMessage()
        watch(publication)
    }

    /// The publisher's next picture turns the challenger away, and its silence lets it in.
    private func watch(_ publication: Publication) {
        guard let challenger, publication === self.publication else { return }
        let now = EventLoop.now()
        let left = publication.isMute ? 0 : limits.silence.wholeNanoseconds - publication.silence(now: now)
        guard left > 0 else {
            self.challenger = nil
            let former = publisher
            end(.replaced)
            if let former {
                sendAway(former, .rejected("another publisher takes this place, since nothing came for a while"))
            }
            return accept(challenger)
        }
        loop.at(now + left) { [weak self] in self?.watch(publication) }
    }

    private func accept(_ connection: Connection) {
        forget(connection)
        let publication = Publication(of: connection, at: self)
        publisher = connection
        self.publication = publication
        report(.began(address: connection.address))
        connection.accept(publication)
    }

    // MARK: The publisher

    /// A message of a publisher has come, which was waited for: whoever wants its place does not get it.
    func delivered(_ publication: Publication) {
        guard publication === self.publication, !publication.isMute, let challenger else { return }
        self.challenger = nil
        refuse(challenger, .busy, .busy)
    }

    /// Tells what the publisher says that it sends.
    func announced(_ publication: Publication, _ media: String) {
        if publication === self.publication { report(.announced(media)) }
    }

    /// Tells what is wrong with the publisher's media, while it publishes.
    func noted(_ publication: Publication, _ faults: MediaFaults) {
        if publication === self.publication { note(faults, advice: faults.advice) }
    }

    /// Tells what was wrong with a publisher's media.
    ///
    /// - Parameter advice: What to do about it, while it publishes.
    func note(_ faults: MediaFaults, advice: String? = nil) {
        guard faults.total > 0 else { return }
        let seen = MediaFault.allCases.filter { faults[$0] > 0 }
        report(.faults(Dictionary(uniqueKeysWithValues: seen.map { ($0.description, faults[$0]) }), advice: advice))
    }

    /// Turns the publisher away, because a feed does not carry its video.
    func reject(_ connection: Connection, _ coding: VideoCoding) {
        guard connection === publisher else { return }
        let why = coding.refusal(of: "its video")
        end(.rejected(why))
        count(.codec, connection.address, why)
        sendAway(connection, .rejected(coding.refusal(of: "the video")))
    }

    /// Nothing that the publisher sends becomes a picture, or something does again.
    func setMute(_ isMute: Bool) {
        guard let publication else { return }
        publication.isMute = isMute
        if isMute { watch(publication) }
    }

    func isIdle(_ connection: Connection) {
        guard connection === publisher else { return }
        end(.idle)
        connection.close()
    }

    private func end(_ ending: IngestEvent.Ending) {
        guard publication != nil else { return }
        publication = nil
        publisher = nil
        report(.ended(ending))
        guard let challenger else { return }
        self.challenger = nil
        // What it showed is not the key any more.
        if ending == .keyChanged { refuse(challenger, .key, .badName) } else { challenge(challenger) }
    }

    // MARK: Refusing

    func violated(_ connection: Connection, _ violation: Violation) {
        if connection === publisher {
            end(.violation(violation.description))
            return connection.close()
        }
        refuse(connection, .protocol, nil, detail: violation.description)
    }

    func refuse(
        _ connection: Connection, _ reason: IngestRefusal, _ answer: PublishSession.Refusal?, detail: String? = nil,
        isSilent: Bool = false
    ) {
        let now = EventLoop.now()
        if reason == .key || reason == .application { addresses.failed(connection.neighbourhood, now: now) }
        forget(connection)
        count(reason, connection.address, detail)
        if isSilent {
            connection.standing = .refused
            connection.close()
        } else {
            sendAway(connection, answer)
        }
    }

    /// Tells it why, and gives it time to read that as long as not too many have it.
    private func sendAway(_ connection: Connection, _ answer: PublishSession.Refusal?) {
        connection.refuse(answer, lingers: { [self] in leaving < limits.farewells }, isTold: { [self] in leaving += 1 })
    }

    private func count(_ reason: IngestRefusal, _ address: String, _ detail: String?) {
        statistics.refused(reason)
        guard let unsaid = reports.note(now: EventLoop.now()) else { return }
        report(.refused(reason, address: address, detail: detail, unsaid: unsaid))
    }

    // MARK: For the ingest

    /// Lends the publisher's connection to the data path.
    func lend() -> Publication? { publisher?.lend() }

    func setAdmission(_ next: Admission) {
        let before = admission
        admission = next
        // What the publisher showed may be right no more.
        switch (before, next) {
        case (.nobody, _), (_, .anybody): return
        case (.holders(let former), .holders(let key)) where key.isSame(as: former): return
        case (_, .holders), (_, .nobody): break
        }
        guard let publisher else { return }
        end(.keyChanged)
        sendAway(publisher, .badName)
    }

    func close() {
        isClosed = true
        let open = strangers + [publisher].compactMap { $0 }
        challenger = nil
        if publication != nil { end(.left) }
        for connection in open { connection.close(drains: true) }
    }
}
