import EventLoop
import RTMP

/// Decides which connection publishes. It belongs to the ingest's thread.
final class PublisherAdmission {
    let limits: IngestLimits
    let application: String
    private var policy = AdmissionPolicy.rejectAll
    private let statistics: IngestStatistics
    private let report: @Sendable (IngestEvent) -> Void
    let loop: EventLoop
    /// The buffer that each connection reads into; it is free between two reads.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Connection.readSize, alignment: 16)

    private var throttle = ClientThrottle()
    private var reports = ReportLimit()
    private var takeovers = TakeoverRateLimiter()
    /// The connections that have not sent the right key, oldest first.
    private var unauthenticated: [Connection] = []
    /// The number of rejected connections that stay open, so that the client can read the reason.
    private var lingering = 0
    private var publisher: Connection?
    private var publication: Publication?
    /// A connection with the right key that waits until the publisher is silent.
    private var successor: Connection?
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

    deinit { readBuffer.deallocate() }

    // MARK: Connections

    /// - Returns: `false` if there are too many unauthenticated connections.
    func admit(_ connection: Connection) -> Bool {
        guard !isClosed else { return false }
        let network = connection.clientNetwork
        if throttle.connections(from: network) >= limits.unauthenticatedPerNetwork {
            guard evict(from: network, checksKeys: true) else { return rejectUnread(connection) }
        } else if unauthenticated.count >= limits.unauthenticated {
            let now = EventLoop.now()
            let load = { (network: String) in
                (self.throttle.connections(from: network), self.throttle.delay(for: network, now: now))
            }
            let busiest = unauthenticated.map(\.clientNetwork).max { load($0) < load($1) }
            guard evict(from: busiest ?? network, checksKeys: false) else { return rejectUnread(connection) }
        }
        throttle.addConnection(from: network, now: EventLoop.now())
        unauthenticated.append(connection)
        return true
    }

    /// Evicts a connection of a network: the oldest one that has not asked to publish, if it is older than
    /// ``timeToAsk``; else, if wrong keys came from the network, the one whose key has waited longest; else the oldest
    /// one.
    ///
    /// An evicted connection does not learn whether its key is wrong. Otherwise a client could try keys as fast as it
    /// connects.
    ///
    /// - Parameter checksKeys: Whether the key of an evicted connection is checked in some cases: otherwise a right key
    ///   would have no chance among many wrong ones of its network.
    private func evict(from network: String, checksKeys: Bool) -> Bool {
        let now = EventLoop.now()
        let candidates = unauthenticated.filter { $0.clientNetwork == network && $0 !== successor }
        let notAsked = candidates.filter { if case .unauthenticated = $0.state { true } else { false } }
        if let oldest = notAsked.first, now - oldest.connectedAt > Self.timeToAsk { return evict(oldest) }
        if throttle.delay(for: network, now: now) > 0 {
            for candidate in candidates {
                guard case .waiting = candidate.state else { continue }
                let interval = limits.earlyCheckInterval.wholeNanoseconds
                guard checksKeys, throttle.mayCheckEarly(from: network, every: interval, now: now) else {
                    return evict(candidate)
                }
                checkKey(of: candidate)
                // A connection with the right key may have to wait for the publisher, and then it is still there.
                if !unauthenticated.contains(where: { $0 === candidate }) { return true }
            }
        }
        return notAsked.first.map(evict) ?? false
    }

    /// Nanoseconds in which an encoder asks to publish on most networks.
    private static let timeToAsk: Int64 = 1_000_000_000

    private func evict(_ connection: Connection) -> Bool {
        refuse(connection, .connections, nil, answers: false)
        return true
    }

    private func rejectUnread(_ connection: Connection) -> Bool {
        connection.state = .rejected
        count(.connections, connection.address, nil)
        return false
    }

    /// Called when a connection is closed, or has stopped publishing.
    ///
    /// - Parameter staysOpen: It has stopped publishing, and stays open.
    func connectionEnded(_ connection: Connection, staysOpen: Bool = false) {
        if connection.isLingering { lingering -= 1 }
        // A client that disconnects before the answer has tried a key, too.
        if case .waiting = connection.state, connection !== successor, let name = connection.name, !accepts(name) {
            throttle.recordFailure(from: connection.clientNetwork, now: EventLoop.now())
            count(.key, connection.address, nil)
        }
        removeUnauthenticated(connection)
        guard connection === publisher else { return }
        end(.left)
        guard staysOpen else { return }
        throttle.addConnection(from: connection.clientNetwork, now: EventLoop.now())
        unauthenticated.append(connection)
        connection.becomeUnauthenticated()
    }

    private func removeUnauthenticated(_ connection: Connection) {
        if connection === successor { successor = nil }
        guard let index = unauthenticated.firstIndex(where: { $0 === connection }) else { return }
        unauthenticated.remove(at: index)
        throttle.removeConnection(from: connection.clientNetwork, now: EventLoop.now())
    }

    // MARK: Keys

    /// Called when a connection asks to publish.
    func requestPublish(_ connection: Connection) {
        let delay = throttle.delay(for: connection.clientNetwork, now: EventLoop.now())
        // A right key waits as long as a wrong one. Otherwise a sooner answer would tell them apart.
        if delay > 0 { checkKey(of: connection, after: delay) } else { checkKey(of: connection) }
    }

    /// - Parameter delay: In nanoseconds.
    private func checkKey(of connection: Connection, after delay: Int64) {
        loop.at(EventLoop.now() + delay) { [weak self, weak connection] in
            guard let self, let connection, case .waiting = connection.state else { return }
            checkKey(of: connection)
        }
    }

    private func accepts(_ name: String) -> Bool {
        switch policy {
        case .acceptAny: true
        case .requireKey(let key): key.admits(name)
        case .rejectAll: false
        }
    }

    private func checkKey(of connection: Connection) {
        guard accepts(connection.name ?? "") else { return refuse(connection, .key, .badName) }
        throttle.recordSuccess(from: connection.clientNetwork)
        publishOrWait(connection)
    }

    /// Lets a connection publish, as soon as no other publisher sends.
    private func publishOrWait(_ connection: Connection) {
        guard let publication else {
            let wait = takeovers.take(now: EventLoop.now())
            return wait > 0 ? checkKey(of: connection, after: wait) : accept(connection)
        }
        guard successor == nil else { return refuse(connection, .busy, .busy) }
        successor = connection
        publication.awaitMessage()
        replaceIfSilent(publication)
    }

    /// Lets the successor publish once the publisher is silent. The publisher's next message makes ``delivered(_:)``
    /// reject the successor.
    private func replaceIfSilent(_ publication: Publication) {
        guard let successor, publication === self.publication else { return }
        let now = EventLoop.now()
        let left = publication.sendsNoVideo ? 0 : limits.silence.wholeNanoseconds - publication.silence(now: now)
        guard left > 0 else {
            self.successor = nil
            let former = publisher
            end(.replaced)
            if let former {
                refuseAndClose(
                    former, .rejected("another publisher replaces this one, which sent nothing for a while"))
            }
            return accept(successor)
        }
        loop.at(now + left) { [weak self] in self?.replaceIfSilent(publication) }
    }

    private func accept(_ connection: Connection) {
        removeUnauthenticated(connection)
        let publication = Publication(of: connection, at: self)
        publisher = connection
        self.publication = publication
        report(.began(address: connection.address))
        connection.accept(publication)
    }

    // MARK: The publisher

    /// Called when a message that ``Publication/awaitMessage()`` waits for has arrived: the successor is rejected.
    func delivered(_ publication: Publication) {
        guard publication === self.publication, !publication.sendsNoVideo, let successor else { return }
        self.successor = nil
        refuse(successor, .busy, .busy)
    }

    /// Reports the media that the publisher says it sends.
    func announced(_ publication: Publication, _ media: String) {
        if publication === self.publication { report(.announced(media)) }
    }

    /// Reports the faults of the publisher's messages, with advice, while it publishes.
    func noted(_ publication: Publication, _ faults: MediaFaults) {
        if publication === self.publication { reportFaults(faults, advice: faults.advice) }
    }

    /// Reports the faults of a publisher's messages.
    ///
    /// - Parameter advice: The remedy. `nil` once it has stopped.
    func reportFaults(_ faults: MediaFaults, advice: String? = nil) {
        guard faults.total > 0 else { return }
        let seen = MediaFault.allCases.filter { faults[$0] > 0 }
        report(.faults(Dictionary(uniqueKeysWithValues: seen.map { ($0.description, faults[$0]) }), advice: advice))
    }

    /// Rejects the publisher because a feed cannot carry its video.
    func reject(_ connection: Connection, _ coding: VideoCoding) {
        guard connection === publisher else { return }
        let why = coding.refusal(of: "its video")
        end(.rejected(why))
        count(.codec, connection.address, why)
        refuseAndClose(connection, .rejected(coding.refusal(of: "the video")))
    }

    /// Called when the publisher's data contains no usable video, or contains some again.
    func setSendsNoVideo(_ sendsNoVideo: Bool) {
        guard let publication else { return }
        publication.sendsNoVideo = sendsNoVideo
        if sendsNoVideo { replaceIfSilent(publication) }
    }

    /// Closes the connection of a publisher that sent nothing for too long.
    func closeIdle(_ connection: Connection) {
        guard connection === publisher else { return }
        end(.idle)
        connection.close()
    }

    private func end(_ ending: IngestEvent.Ending) {
        guard publication != nil else { return }
        publication = nil
        publisher = nil
        report(.ended(ending))
        guard let successor else { return }
        self.successor = nil
        // The successor sent the former key.
        if ending == .keyChanged { refuse(successor, .key, .badName) } else { publishOrWait(successor) }
    }

    // MARK: Rejecting

    func violated(_ connection: Connection, _ violation: Violation) {
        if connection === publisher {
            end(.violation(violation.description))
            return connection.close()
        }
        refuse(connection, .protocol, nil, detail: violation.description)
    }

    /// Rejects a connection that does not publish.
    func refuse(
        _ connection: Connection, _ reason: IngestRefusal, _ answer: PublishSession.Refusal?, detail: String? = nil,
        answers: Bool = true
    ) {
        let now = EventLoop.now()
        if reason == .key || reason == .application { throttle.recordFailure(from: connection.clientNetwork, now: now) }
        removeUnauthenticated(connection)
        count(reason, connection.address, detail)
        if answers {
            refuseAndClose(connection, answer)
        } else {
            connection.state = .rejected
            connection.close()
        }
    }

    /// Sends the answer. The connection stays open for a while, unless too many do.
    private func refuseAndClose(_ connection: Connection, _ answer: PublishSession.Refusal?) {
        connection.refuse(
            answer, mayLinger: { [self] in lingering < limits.lingering }, onLinger: { [self] in lingering += 1 })
    }

    private func count(_ reason: IngestRefusal, _ address: String, _ detail: String?) {
        statistics.refused(reason)
        guard let suppressed = reports.note(now: EventLoop.now()) else { return }
        report(.refused(reason, address: address, detail: detail, suppressed: suppressed))
    }

    // MARK: For the server

    /// Lends the publisher's connection to the data path.
    func lend() -> Publication? { publisher?.lend() }

    func setPolicy(_ next: AdmissionPolicy) {
        let before = policy
        policy = next
        // The publisher's key may no longer be right.
        switch (before, next) {
        case (.rejectAll, _), (_, .acceptAny): return
        case (.requireKey(let former), .requireKey(let key)) where key.isSame(as: former): return
        case (_, .requireKey), (_, .rejectAll): break
        }
        guard let publisher else { return }
        end(.keyChanged)
        refuseAndClose(publisher, .badName)
    }

    func close() {
        isClosed = true
        let open = unauthenticated + [publisher].compactMap { $0 }
        successor = nil
        if publication != nil { end(.left) }
        for connection in open { connection.close(drains: true) }
    }
}
