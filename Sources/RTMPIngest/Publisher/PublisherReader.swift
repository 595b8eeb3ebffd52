import CLinux
import DataPath
import EventLoop
import Glibc
import MPEGTS
import RTMP

/// Reads a publisher's connection, and gives its frames to a channel: from the socket through one buffer into the feed.
/// It belongs to the data path's thread.
///
/// While the channel holds it, the socket is not read. TCP then makes the publisher wait.
final class PublisherReader: UnitReader, EventLoop.Handler {
    private let publication: Publication
    private let peer: Peer
    private let loop: EventLoop
    private weak var owner: (any UnitReaderDelegate)?
    /// The buffer that the socket is read into.
    private let buffer: UnsafeMutableRawBufferPointer
    /// The bytes of the buffer that are not parsed yet.
    private var rest: Range<Int>
    /// Whether there may be more to parse: new bytes, or a message that is already complete.
    private var hasMore = true
    /// The events that the loop waits for. `nil` if it waits for none.
    private var watched: UInt32?
    /// Whether the channel holds the publisher back: incoming data stays in the socket.
    private var isHeld = false
    /// Whether the publisher is ahead of real time: incoming data stays in the socket for a while.
    private var isWaiting = false
    /// Whether no reader of the channel needs data yet: incoming data stays in the socket for a while.
    private var isResting = false
    private var mayRest = false
    /// The unit that the owner gets again. The session still holds its message.
    private var kept: AccessUnit?
    private var isKeeping = false
    /// Whether the owner is receiving a unit.
    private var isGiving = false
    private var isOver = false
    private var end: Publication.End?
    /// The program that the owner was last given.
    private var program: Program?
    private let conversion: AudioConversion
    /// The number of unusable messages at which the next report is due.
    private var nextFaults = 30
    /// The last announcement.
    private var announced: MediaMetadata?
    /// The number of announcements.
    private var announcements = 0

    /// Announcements that are passed on: some publishers repeat theirs with every keyframe.
    private static let maximumAnnouncements = 10
    /// Bytes that are read at once.
    private static let readSize = 64 << 10
    /// Reads before the loop serves other descriptors.
    private static let maximumReads = 4
    /// Messages that are parsed before the loop serves other descriptors.
    private static let maximumMessages = 2000

    init(_ publication: Publication, owner: any UnitReaderDelegate, loop: EventLoop) {
        self.publication = publication
        self.owner = owner
        self.loop = loop
        peer = publication.peer
        conversion = AudioConversion(peer)
        buffer = .allocate(byteCount: max(Self.readSize, peer.unparsed.count), alignment: 16)
        buffer.copyBytes(from: peer.unparsed)
        rest = 0..<peer.unparsed.count
        peer.unparsed = []
    }

    deinit { buffer.deallocate() }

    /// Begins with the data that has already arrived.
    ///
    /// - Returns: `false` if its socket cannot be watched.
    func begin() -> Bool {
        guard watch() else { return false }
        publication.setHeld(false)
        loop.at(EventLoop.now()) { [weak self] in self?.resume() }
        return true
    }

    // MARK: Socket

    /// Sets the events that the loop waits for.
    ///
    /// - Returns: `false` if the socket cannot be watched.
    @discardableResult
    private func watch() -> Bool {
        guard !isOver else { return true }
        var events = peer.hasUnsent ? EPOLLOUT.rawValue : 0
        // While the socket is not read, the loop reports once that the publisher has left.
        let isRead = !isHeld && !isWaiting && !isResting
        events |= isRead ? EPOLLIN.rawValue : EPOLLRDHUP.rawValue | EPOLLET.rawValue
        if watched == nil {
            guard loop.add(peer.descriptor, events: events, handler: self) else {
                stop(.notWanted)
                return false
            }
        } else if watched != events {
            loop.change(peer.descriptor, events: events)
        }
        watched = events
        return true
    }

    func ready(_ events: UInt32) {
        guard !isOver else { return }
        if events & EPOLLOUT.rawValue != 0, !answer(always: true) { return }
        if isHeld || isWaiting || isResting {
            let ends = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue
            if events & ends != 0, !isResting { publication.noteDeparture() }
            return
        }
        // New data would overwrite data that is not passed on yet.
        if !hasMore, kept == nil { read() }
    }

    private func read() {
        var sawVideo = false
        var total = 0
        for _ in 0..<Self.maximumReads where !hasMore && !isOver {
            guard let count = peer.read(into: buffer) else { break }
            guard count > 0 else {
                finish(.gone)
                break
            }
            total += count
            rest = 0..<count
            if passOn() { sawVideo = true }
            if count < buffer.count { break }
        }
        notePause(sawVideo: sawVideo, isLittle: total <= Self.maximumReads * Self.readSize / 2)
    }

    /// Called when all data that was read has been passed on.
    ///
    /// - Parameter isLittle: The owner may then delay the next read. A publisher that sends much is read as it sends.
    private func notePause(sawVideo: Bool, isLittle: Bool = false) {
        _ = answer()
        mayRest = isLittle
        owner?.unitReaderPaused(self, sawVideo: sawVideo)
        mayRest = false
    }

    /// Sends the session's answers.
    ///
    /// - Returns: `false` if the publisher reads no answers: its connection is closed.
    private func answer(always: Bool = false) -> Bool {
        guard !isOver, peer.takeReply() || always else { return true }
        guard peer.send() else {
            finish(.gone)
            return false
        }
        watch()
        return true
    }

    // MARK: Messages

    /// Passes on the data that was read, beginning with the unit that was kept, until the owner holds it.
    ///
    /// - Returns: Whether it contained a video frame.
    private func passOn() -> Bool {
        let now = EventLoop.now()
        var sawVideo = false
        hasMore = true
        if let unit = kept {
            kept = nil
            sawVideo = unit.kind == .video
            give(unit, now: now)
        }
        var messages = 0
        while hasMore, !isOver, !isKeeping, !isWaiting {
            if messages == Self.maximumMessages {
                loop.at(now) { [weak self] in self?.resume() }
                break
            }
            messages += 1
            if next(now: now) == .video { sawVideo = true }
        }
        isKeeping = false
        return sawVideo
    }

    /// Handles the next message.
    ///
    /// - Returns: The kind of its unit, if it has one.
    private func next(now: Int64) -> StreamKind? {
        var bytes = Bytes(rebasing: buffer[rest])
        let event: PublishSession.Event?
        do {
            event = try peer.session.next(&bytes)
        } catch {
            finish(.violation(error))
            return nil
        }
        rest = rest.upperBound - bytes.count..<rest.upperBound
        switch event {
        case .media(let header):
            publication.noteMessage(now: now)
            return take(header, now: now)
        case .data:
            noteAnnouncement()
        case .unpublish:
            finish(.unpublished)
        case .publish, .wrongApplication:
            break
        case nil:
            hasMore = false
        }
        return nil
    }

    /// Reports the media that the publisher announces, if it is new. It is only shown to people.
    private func noteAnnouncement() {
        guard announcements < Self.maximumAnnouncements,
            let metadata = peer.session.withMedia({ MediaMetadata($0) }), metadata != announced
        else { return }
        announced = metadata
        announcements += 1
        let text = metadata.description
        if !text.isEmpty { publication.announced(text) }
    }

    private func take(_ header: MessageHeader, now: Int64) -> StreamKind? {
        let event = peer.session.withMedia { peer.media.take(header, $0, now: Ticks.fromNanoseconds(now)) }
        if peer.media.faults.total >= nextFaults {
            nextFaults = 10 * peer.media.faults.total
            publication.noted(peer.media.faults)
        }
        switch event {
        case .nothing:
            return nil
        case .unit(let unit, let isNewFormat):
            if peer.media.program != program, let next = peer.media.program {
                program = next
                owner?.unitReader(self, found: next)
            }
            if unit.kind == .audio {
                if conversion.end() { owner?.unitReader(self, hasForeignAudio: nil) }
            } else if isNewFormat {
                owner?.unitReaderBeganFormat(self)
            }
            give(unit, now: now)
            return unit.kind
        case .foreignAudio(let audio):
            takeForeign(audio, now: now)
            return nil
        case .foreignVideo(let coding):
            finish(.foreignVideo(coding))
            return nil
        }
    }

    /// Gives a unit to the owner.
    private func give(_ unit: AccessUnit, now: Int64) {
        guard let owner else { return }
        isGiving = true
        peer.session.withMedia { bytes in
            owner.unitReader(self, found: unit, in: peer.media.unit(in: bytes), now: now)
        }
        isGiving = false
        if isKeeping { kept = unit }
        // The owner has closed the reader meanwhile.
        if let end { publication.giveBack(end) }
    }

    /// Handles audio that a feed cannot carry. Its bytes are those of the session's message.
    private func takeForeign(_ audio: MediaReader.ForeignAudioMessage, now: Int64) {
        switch conversion.take(audio, now: now) {
        case .drop: return
        case .reportAndGive: owner?.unitReader(self, hasForeignAudio: conversion.description(of: audio))
        case .give: break
        }
        conversion.give(audio)
    }

    func addConverter(_ converter: any AudioSink) { conversion.addConverter(converter) }

    func removeConverter(_ converter: any AudioSink) { conversion.removeConverter(converter) }

    // MARK: Flow control

    func keep() {
        guard !isOver else { return }
        isKeeping = true
        hold()
    }

    func hold() {
        guard !isOver, !isHeld else { return }
        isHeld = true
        isResting = false
        publication.setHeld(true)
        watch()
    }

    func release() {
        guard !isOver, isHeld else { return }
        isHeld = false
        resume()
    }

    func wait(until time: Int64) {
        guard !isOver, !isWaiting else { return }
        isWaiting = true
        isResting = false
        publication.setHeld(true)
        watch()
        loop.at(time) { [weak self] in
            guard let self, !self.isOver else { return }
            self.isWaiting = false
            self.resume()
        }
    }

    func rest(until time: Int64) {
        guard mayRest, !isOver, !isHeld, !isWaiting, !isResting, !hasMore, time > EventLoop.now() else { return }
        isResting = true
        watch()
        loop.at(time) { [weak self] in
            guard let self, self.isResting else { return }
            self.isResting = false
            self.watch()
            self.ready(EPOLLIN.rawValue)
        }
    }

    /// Continues with the data that was read, and reads the socket again.
    private func resume() {
        guard !isOver, !isHeld, !isWaiting else { return }
        publication.setHeld(false)
        watch()
        guard hasMore || kept != nil else { return }
        let sawVideo = passOn()
        notePause(sawVideo: sawVideo)
    }

    func convertsAudio(to format: AACFormat?) -> Bool {
        peer.media.requiredAudioFormat = format
        return true
    }

    var isBehind: Bool { !isOver && isWaiting }

    func drain() {
        var left = CInt(0)
        guard !isOver, ioctl(peer.descriptor, UInt(FIONREAD), &left) == 0 else { return }
        while left > 0, !isOver, !isHeld, !isWaiting {
            if hasMore || kept != nil { resume() }
            guard !hasMore, kept == nil, !isOver, let count = peer.read(into: buffer), count > 0 else { return }
            left -= CInt(count)
            rest = 0..<count
            let sawVideo = passOn()
            notePause(sawVideo: sawVideo)
        }
    }

    // MARK: The end

    func close() { stop(.notWanted) }

    /// Returns the connection because the ingest asks for it.
    ///
    /// - Parameter drains: Whether the data that has already arrived is taken first.
    func recall(drains: Bool) {
        if drains { drain() }
        finish(.notWanted)
    }

    private func finish(_ end: Publication.End) {
        guard !isOver else { return }
        stop(end)
        owner?.unitReaderEnded(self)
    }

    private func stop(_ end: Publication.End) {
        guard !isOver else { return }
        isOver = true
        if watched != nil { loop.remove(peer.descriptor) }
        watched = nil
        peer.unparsed = Array(buffer[rest])
        // The session is in use until the owner has taken the unit.
        if isGiving { self.end = end } else { publication.giveBack(end) }
    }
}
