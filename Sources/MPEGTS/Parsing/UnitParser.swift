import MediaTypes

/// Parses the bytes of one writer into whole access units.
///
/// The caller reads into the parser's buffer, so nothing is copied before a unit is whole:
///
///     let count = read(pipe, parser.prepare())     // in the caller
///     parser.commit(count)
///     while let event = parser.next() { … }
///
/// A unit is whole when its declared length is reached, when the muxer padded its last packet, or when the next unit of
/// the same stream begins. Packets of other streams may come between its packets. A unit that lost a packet is dropped
/// and counted, and so are bytes between packets.
///
/// The result does not depend on how the bytes were split. ``largestUnit`` bounds the memory for any input.
package struct UnitParser: ~Copyable {
    /// A result of ``next()``.
    package enum Event {
        /// The program is the first one, or has changed.
        case program(Program)
        /// A unit is whole. Its bytes are available until the next call of ``UnitParser/next()``.
        case unit(AccessUnit)
    }

    /// The data that was dropped so far.
    package struct Losses: Sendable, Hashable {
        /// Bytes outside packets.
        package var garbageBytes: Int = 0
        /// Units that lost packets or were not PES packets.
        package var damagedUnits: Int = 0
    }

    package private(set) var program: Program?
    /// The format in the newest parameter set of the video; `nil` before the first.
    package private(set) var videoFormat: VideoFormat?
    /// The format of the newest audio unit; `nil` before the first.
    package private(set) var audioFormat: AACFormat?
    /// Whether the last keyframe had its sequence parameter set before it, so a new reader can begin there.
    package private(set) var keyframeHasParameterSet = false
    package private(set) var losses = Losses()

    /// The size of the largest unit that is assembled, in bytes, including packets of other streams between its own. A
    /// larger one counts as damaged.
    package let largestUnit: Int

    private var buffer: UnsafeMutablePointer<UInt8>
    private(set) var capacity: Int
    /// The largest number of bytes to read at once.
    private let readSize: Int
    private var filled = 0
    private var cursor = 0
    private var isInSync = true

    private var mapPID: UInt16?
    private var associationSections = SectionAssembler()
    private var mapSections = SectionAssembler()
    private var videoPID = UnitParser.noPID
    private var audioPID = UnitParser.noPID
    private var video = UnitAssembly()
    private var audio = UnitAssembly()
    private var completed: StreamKind?
    private var scratch: UnsafeMutablePointer<UInt8>
    private var parameterSet: [UInt8] = []

    private static let scratchSize = 64 << 10
    private static let firstScan = 1024
    /// A PID that no packet has: it is longer than 13 bits.
    private static let noPID: UInt16 = 0xFFFF

    /// - Parameters:
    ///   - capacity: The largest number of bytes to read at once.
    ///   - largestUnit: The size of the largest unit that is assembled, in bytes.
    package init(capacity: Int = 256 << 10, largestUnit: Int = 8 << 20) {
        self.capacity = max(capacity, 8 * Packet.size)
        readSize = self.capacity
        self.largestUnit = largestUnit
        buffer = .allocate(capacity: self.capacity)
        scratch = .allocate(capacity: Self.scratchSize)
    }

    deinit {
        buffer.deallocate()
        scratch.deallocate()
    }

    // MARK: Bytes in

    /// Returns space for the next bytes of the writer; it is never empty. The last unit becomes invalid.
    package mutating func prepare() -> UnsafeMutableRawBufferPointer {
        release()
        giveUpLongUnits()
        if capacity - filled < capacity / 2 { compact() }
        if capacity - filled < capacity / 4 { grow() }
        return UnsafeMutableRawBufferPointer(start: buffer + filled, count: min(readSize, capacity - filled))
    }

    /// Adds the bytes that were read into the space from ``prepare()``.
    package mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= capacity - filled)
        filled += count
    }

    /// Copies as many bytes as there is space for.
    ///
    /// - Returns: The number of bytes.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) -> Int {
        let room = prepare()
        let count = min(room.count, bytes.count)
        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        commit(count)
        return count
    }

    /// The offset of the first byte that is kept. The last packet is kept too: ``nextPacket()`` may search it again.
    private var firstKept: Int { min(max(0, cursor - Packet.size), min(video.firstByte, audio.firstByte)) }

    /// Drops a unit that stays open while the other streams continue.
    private mutating func giveUpLongUnits() {
        // If no unit is open, the first byte is the largest number.
        if video.firstByte < filled - largestUnit { giveUp(.video) }
        if audio.firstByte < filled - largestUnit { giveUp(.audio) }
    }

    private mutating func giveUp(_ kind: StreamKind) {
        losses.damagedUnits += 1
        if kind == .video { video.close() } else { audio.close() }
    }

    private mutating func compact() {
        let kept = firstKept
        guard kept > 0 else { return }
        buffer.update(from: buffer + kept, count: filled - kept)
        filled -= kept
        cursor -= kept
        video.move(by: kept)
        audio.move(by: kept)
    }

    private mutating func grow() {
        // Open units that begin further back than the limit are dropped, so the size stays below twice the limit plus
        // one read.
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2)
        larger.update(from: buffer, count: filled)
        buffer.deallocate()
        buffer = larger
        capacity *= 2
    }

    // MARK: Units out

    /// Returns the next event in the bytes so far; `nil` if more bytes are needed.
    package mutating func next() -> Event? {
        release()
        while let packet = nextPacket() {
            let pid = packet.pid
            if pid == videoPID {
                if video.isEnded(by: packet, in: buffer), let unit = complete(.video) { return .unit(unit) }
                if !video.take(packet, at: cursor, in: buffer, limit: largestUnit) { losses.damagedUnits += 1 }
                cursor += Packet.size
                if video.isWhole, let unit = complete(.video) { return .unit(unit) }
            } else if pid == audioPID {
                if audio.isEnded(by: packet, in: buffer), let unit = complete(.audio) { return .unit(unit) }
                if !audio.take(packet, at: cursor, in: buffer, limit: largestUnit) { losses.damagedUnits += 1 }
                cursor += Packet.size
                if audio.isWhole, let unit = complete(.audio) { return .unit(unit) }
            } else if pid == 0 {
                takeAssociation(packet)
                cursor += Packet.size
            } else if pid == mapPID {
                let changed = takeMap(packet)
                cursor += Packet.size
                if changed, let program { return .program(program) }
            } else {
                cursor += Packet.size
            }
        }
        return nil
    }

    /// Copies the packets of the last unit that ``next()`` returned.
    ///
    /// - Parameter destination: Space for `byteCount` bytes of that unit.
    package func copyUnit(to destination: UnsafeMutablePointer<UInt8>) {
        guard let completed else { preconditionFailure("no unit was found") }
        let runs = completed == .video ? video.runs : audio.runs
        var destination = destination
        for run in runs {
            destination.update(from: buffer + run.lowerBound, count: run.count)
            destination += run.count
        }
    }

    private mutating func release() {
        switch completed {
        case .video?: video.close()
        case .audio?: audio.close()
        case nil: return
        }
        completed = nil
    }

    /// Returns the packet at the cursor, after skipping bytes outside packets.
    @inline(__always)
    private mutating func nextPacket() -> Packet? {
        guard cursor + Packet.size <= filled else { return nil }
        if isInSync, buffer[cursor] == Packet.syncByte { return Packet(buffer + cursor) }
        return synchronize() ? Packet(buffer + cursor) : nil
    }

    /// Moves the cursor to the first packet that three more packets follow.
    ///
    /// The bytes before the cursor may not have been a packet either, and may contain the start of one: the search
    /// begins there.
    ///
    /// - Returns: `false` if more bytes are needed.
    private mutating func synchronize() -> Bool {
        var candidate = isInSync ? max(0, cursor - Packet.size + 1) : cursor
        let wasInSync = isInSync
        let last = filled - 3 * Packet.size - 1
        while candidate <= last {
            if buffer[candidate] == Packet.syncByte, buffer[candidate + Packet.size] == Packet.syncByte,
                buffer[candidate + 2 * Packet.size] == Packet.syncByte,
                buffer[candidate + 3 * Packet.size] == Packet.syncByte
            {
                losses.garbageBytes += max(0, candidate - cursor)
                cursor = candidate
                isInSync = true
                return true
            }
            candidate += 1
        }
        if !wasInSync || candidate > cursor {
            losses.garbageBytes += max(0, candidate - cursor)
            cursor = candidate
            isInSync = false
        }
        return false
    }

    private mutating func takeAssociation(_ packet: Packet) {
        guard !packet.hasError else { return }
        let offset = packet.payloadOffset
        var found: UInt16?
        associationSections.take(packet.bytes + offset, count: Packet.size - offset, startsUnit: packet.startsUnit) {
            found = PSI.programMapPID($0, count: $1) ?? found
        }
        guard let found, found != mapPID else { return }
        mapPID = found
        mapSections = SectionAssembler()
    }

    private mutating func takeMap(_ packet: Packet) -> Bool {
        guard !packet.hasError else { return false }
        let offset = packet.payloadOffset
        var found: Program?
        mapSections.take(packet.bytes + offset, count: Packet.size - offset, startsUnit: packet.startsUnit) {
            found = PSI.program($0, count: $1) ?? found
        }
        guard let found, found != program else { return false }
        if found.video != program?.video {
            if video.isOpen { giveUp(.video) }
            video = UnitAssembly()
            videoPID = found.video?.pid ?? Self.noPID
        }
        if found.audio != program?.audio {
            if audio.isOpen { giveUp(.audio) }
            audio = UnitAssembly()
            audioFormat = nil
            audioPID = found.audio?.pid ?? Self.noPID
        }
        if found.video?.type != program?.video?.type {
            videoFormat = nil
            parameterSet = []
        }
        program = found
        return true
    }

    /// Completes an open unit; `nil` if it cannot be used.
    private mutating func complete(_ kind: StreamKind) -> AccessUnit? {
        let assembly = kind == .video ? video : audio
        guard !assembly.isDamaged, let pts = assembly.pts, let dts = assembly.dts else {
            giveUp(kind)
            return nil
        }
        completed = kind
        var unit = AccessUnit(
            kind: kind, pts: pts, dts: dts, isKeyframe: false, duration: 0, byteCount: assembly.byteCount)
        switch kind {
        case .video:
            unit.isKeyframe = scanVideo(assembly)
        case .audio:
            let size = gather(assembly, limit: Self.scratchSize)
            if let run = ADTS.read(UnsafeBufferPointer(start: scratch, count: size)) {
                (unit.duration, unit.audioFormat) = (run.duration, run.format)
                audioFormat = run.format ?? audioFormat
            }
        }
        return unit
    }

    private mutating func scanVideo(_ assembly: borrowing UnitAssembly) -> Bool {
        guard let codec = program?.video?.type.videoCodec else { return false }
        var limit = Self.firstScan
        while true {
            let size = gather(assembly, limit: limit)
            let bytes = UnsafeBufferPointer(start: scratch, count: size)
            let scan = AccessUnitScan(bytes, codec: codec, randomAccess: assembly.isRandomAccess, isCut: size == limit)
            if !scan.sawSlice, size == limit, limit < Self.scratchSize {
                limit = Self.scratchSize
                continue
            }
            if scan.isKeyframe { keyframeHasParameterSet = scan.parameterSet != nil }
            if scan.isKeyframe, let range = scan.parameterSet {
                learn(UnsafeBufferPointer(rebasing: bytes[range]), codec: codec)
            }
            return scan.isKeyframe
        }
    }

    private mutating func learn(_ set: UnsafeBufferPointer<UInt8>, codec: VideoCodec) {
        guard !parameterSet.elementsEqual(set) else { return }
        parameterSet = Array(set)
        videoFormat = VideoFormat(codec, parameterSet: set)
    }

    /// Copies the start of a unit's payload, without packet and PES headers, to the scratch buffer.
    private func gather(_ assembly: borrowing UnitAssembly, limit: Int) -> Int {
        var used = 0
        var header = assembly.headerSize
        for run in assembly.runs {
            var position = run.lowerBound
            while position < run.upperBound, used < limit {
                let offset = Packet(buffer + position).payloadOffset + header
                header = 0
                if offset < Packet.size {
                    let count = min(Packet.size - offset, limit - used)
                    (scratch + used).update(from: buffer + position + offset, count: count)
                    used += count
                }
                position += Packet.size
            }
        }
        return used
    }
}
