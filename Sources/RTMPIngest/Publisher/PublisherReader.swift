import CLinux
import DataPath
import EventLoop
import Glibc
import MPEGTS
import RTMP

/// Reads what a publisher sends, and gives its frames to a channel: from the socket through one buffer into the feed.
/// It belongs to the data path's thread.
///
/// Where the channel has it wait, the socket is left alone: TCP has the publisher wait then.
final class PublisherReader: UnitReader, EventLoop.Handler {
    private let publication: Publication
    private let peer: Peer
    private let loop: EventLoop
    private weak var owner: (any UnitReaderDelegate)?
    /// For what is read at a time.
    private let room: UnsafeMutableRawBufferPointer
    /// Where the bytes are in it that have not been looked at.
    private var rest: Range<Int>
    /// There may be more to look at, be it only of a message that has come whole.
    private var hasMore = true
    /// Events that the loop looks for; `nil` while it looks for none.
    private var watched: UInt32?
    /// What comes waits in the socket.
    private var isHeld = false
    /// Likewise for a while, because the publisher is ahead of real time.
    private var isWaiting = false
    /// Likewise, because no reader of the channel wants it yet.
    private var isResting = false
    private var mayRest = false
    /// The unit that the owner is to be given once more. Its message is still the session's.
    private var kept: AccessUnit?
    private var isKeeping = false
    /// The owner is being given a unit.
    private var isGiving = false
    private var isOver = false
    private var end: Publication.End?
    /// The last one that the owner was told of.
    private var program: Program?
    /// The owner was told last that audio comes which a feed does not carry.
    private var hasForeignAudio = false
    /// What takes that, for the processes that convert it.
    private var converters: [Converter] = []
    /// The messages that another such process may be given once more.
    private var recent = RecentAudio()
    /// The audio is in another codec than was told last.
    private var isOtherForeign = false
    /// When such audio was told last, in nanoseconds of the monotonic clock.
    private var lastForeign = Int64.min / 2
    /// So many messages that could not be used are told next.
    private var nextFaults = 30
    /// What it announced last, and how often.
    private var announced: MediaMetadata?
    private var announcements = 0

    private struct Converter {
        let sender: any AudioSink
        /// It has had the beginning of a stream.
        var hasBegun = false
    }

    /// Nanoseconds from one codec that has to be converted to the next: each costs a process.
    private static let leastForeign: Int64 = 1_000_000_000
    /// Announcements that are told: some publishers repeat theirs with every keyframe.
    private static let mostAnnouncements = 10
    /// Bytes that are read at once.
    private static let readSize = 64 << 10
    /// Reads before others have their turn.
    private static let mostReads = 4
    /// Messages that are taken before others have their turn.
    private static let mostMessages = 2000

    init(_ publication: Publication, owner: any UnitReaderDelegate, loop: EventLoop) {
        self.publication = publication
        self.owner = owner
        self.loop = loop
        peer = publication.peer
        room = .allocate(byteCount: max(Self.readSize, peer.held.count), alignment: 16)
        room.copyBytes(from: peer.held)
        rest = 0..<peer.held.count
        peer.held = []
    }

    deinit { room.deallocate() }

    /// Begins with what has come already.
    ///
    /// - Returns: `false` where its socket cannot be watched.
    func begin() -> Bool {
        guard watch() else { return false }
        publication.isHeld(false)
        loop.at(EventLoop.now()) { [weak self] in self?.readOn() }
        return true
    }

    // MARK: Socket

    /// Has the loop look for what matters now.
    ///
    /// - Returns: `false` where it cannot.
    @discardableResult
    private func watch() -> Bool {
        guard !isOver else { return true }
        var events = peer.hasUnsent ? EPOLLOUT.rawValue : 0
        // Where it is not read, that it has gone is told once.
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
        // What is read would take the place of what has not been passed on.
        if !hasMore, kept == nil { read() }
    }

    private func read() {
        var sawVideo = false
        var total = 0
        for _ in 0..<Self.mostReads where !hasMore && !isOver {
            guard let count = peer.read(into: room) else { break }
            guard count > 0 else {
                finish(.gone)
                break
            }
            total += count
            rest = 0..<count
            if passOn() { sawVideo = true }
            if count < room.count { break }
        }
        pause(sawVideo: sawVideo, isLittle: total <= Self.mostReads * Self.readSize / 2)
    }

    /// What was read has been passed on.
    ///
    /// - Parameter isLittle: A publisher that sends much is read as it sends.
    private func pause(sawVideo: Bool, isLittle: Bool = false) {
        _ = answer()
        mayRest = isLittle
        owner?.unitReaderPaused(self, sawVideo: sawVideo)
        mayRest = false
    }

    /// Sends what the session answers.
    ///
    /// - Returns: `false` where the publisher takes no answers: it is not served.
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

    /// Passes on what has been read, beginning with the unit that was kept, until the owner wants no more for now.
    ///
    /// - Returns: Whether there was a picture in it.
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
            if messages == Self.mostMessages {
                loop.at(now) { [weak self] in self?.readOn() }
                break
            }
            messages += 1
            if next(now: now) == .video { sawVideo = true }
        }
        isKeeping = false
        return sawVideo
    }

    /// Takes the next message.
    ///
    /// - Returns: What the unit is that it had.
    private func next(now: Int64) -> StreamKind? {
        var bytes = Bytes(rebasing: room[rest])
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
            publication.took(now: now)
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

    /// Passes on what the publisher announces, where that is news: for people alone.
    private func noteAnnouncement() {
        guard announcements < Self.mostAnnouncements,
            let metadata = peer.session.withMedia({ MediaMetadata($0) }), metadata != announced
        else { return }
        announced = metadata
        announcements += 1
        let words = metadata.description
        if !words.isEmpty { publication.announced(words) }
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
            if unit.kind == .audio { endForeign() } else if isNewFormat { owner?.unitReaderBeganFormat(self) }
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

    private func give(_ unit: AccessUnit, now: Int64) {
        guard let owner else { return }
        isGiving = true
        peer.session.withMedia { bytes in
            owner.unitReader(self, found: unit, in: peer.media.unit(in: bytes), now: now)
        }
        isGiving = false
        if isKeeping { kept = unit }
        // The owner had no use for it any more.
        if let end { publication.giveBack(end) }
    }

    // MARK: Audio that a feed does not carry

    /// Gives it to the process that converts it, where there is one. Its bytes are those of the session's message.
    private func takeForeign(_ audio: MediaReader.ForeignAudio, now: Int64) {
        let isOther = peer.session.withMedia { peer.foreign.take(audio, in: $0, aac: peer.media.audioFormat) }
        if isOther {
            isOtherForeign = true
            forgetForeign()
        }
        // A process is given the header before its first frame; and there is none for a header alone.
        guard !audio.isHeader else { return }
        if isOtherForeign || !hasForeignAudio {
            guard now - lastForeign >= Self.leastForeign else { return }
            (lastForeign, isOtherForeign, hasForeignAudio) = (now, false, true)
            forgetForeign()
            let name = name(of: audio.coding)
            owner?.unitReader(
                self,
                hasForeignAudio: ForeignAudio(
                    name: name, codec: audio.coding.nameInFFmpeg, statement: audio.coding.statement(name),
                    isSeveralTracks: audio.coding == .multitrack))
        }
        peer.session.withMedia { message in
            recent.append(audio, message)
            for index in converters.indices { give(audio, in: message, toConverter: index) }
        }
    }

    private func give(_ audio: MediaReader.ForeignAudio, in message: Bytes, toConverter index: Int) {
        let sender = converters[index].sender
        if !converters[index].hasBegun {
            converters[index].hasBegun = true
            let nothing = Bytes(start: nil, count: 0)
            FLV.header.withUnsafeBytes { sender.give($0, nothing, nothing) }
            peer.foreign.withHeader { give($0, in: $1, at: 0, to: sender) }
        }
        give(audio, in: message, at: sender.stamp(audio.time), to: sender)
    }

    private func give(
        _ audio: MediaReader.ForeignAudio, in message: Bytes, at timestamp: UInt32, to sender: any AudioSink
    ) {
        FLV.withTag(of: audio, in: message, timestamp: timestamp) { sender.give($0, $1, $2) }
    }

    /// What converts it is of no use for what comes from now on.
    private func forgetForeign() {
        converters = []
        recent.removeAll()
    }

    private func endForeign() {
        guard hasForeignAudio else { return }
        hasForeignAudio = false
        forgetForeign()
        peer.foreign.end()
        owner?.unitReader(self, hasForeignAudio: nil)
    }

    /// AAC is foreign where ADTS cannot say what it is, or the channel's sound is in another format.
    private func name(of coding: AudioCoding) -> String {
        guard coding == .aac, let format = peer.media.audioFormat?.aac else { return "\(coding)" }
        return "\(format.profile) at \(format)"
    }

    func addConverter(_ converter: any AudioSink) {
        converters.append(Converter(sender: converter))
        guard let start = converter.replayStart else { return }
        recent.replay(from: start) { give($0, in: $1, toConverter: converters.count - 1) }
    }

    func removeConverter(_ converter: any AudioSink) { converters.removeAll { $0.sender === converter } }

    // MARK: For the owner

    func keep() {
        guard !isOver else { return }
        isKeeping = true
        hold()
    }

    func hold() {
        guard !isOver, !isHeld else { return }
        isHeld = true
        isResting = false
        publication.isHeld(true)
        watch()
    }

    func release() {
        guard !isOver, isHeld else { return }
        isHeld = false
        readOn()
    }

    func wait(until time: Int64) {
        guard !isOver, !isWaiting else { return }
        isWaiting = true
        isResting = false
        publication.isHeld(true)
        watch()
        loop.at(time) { [weak self] in
            guard let self, !self.isOver else { return }
            self.isWaiting = false
            self.readOn()
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

    /// Goes on with what has been read, and has the loop look for more.
    private func readOn() {
        guard !isOver, !isHeld, !isWaiting else { return }
        publication.isHeld(false)
        watch()
        guard hasMore || kept != nil else { return }
        let sawVideo = passOn()
        pause(sawVideo: sawVideo)
    }

    func convertsAudio(to format: AACFormat?) -> Bool {
        peer.media.keptSound = format
        return true
    }

    var isBehind: Bool { !isOver && isWaiting }

    func drain() {
        var left = CInt(0)
        guard !isOver, ioctl(peer.descriptor, UInt(FIONREAD), &left) == 0 else { return }
        while left > 0, !isOver, !isHeld, !isWaiting {
            if hasMore || kept != nil { readOn() }
            guard !hasMore, kept == nil, !isOver, let count = peer.read(into: room), count > 0 else { return }
            left -= CInt(count)
            rest = 0..<count
            let sawVideo = passOn()
            pause(sawVideo: sawVideo)
        }
    }

    func close() { stop(.notWanted) }

    /// The ingest wants its connection back.
    ///
    /// - Parameter drains: What has come is to be taken first.
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
        peer.held = Array(room[rest])
        // The session is in use until the unit has been given.
        if isGiving { self.end = end } else { publication.giveBack(end) }
    }
}
