/// Turns the bytes of one writer into whole access units.
///
/// The parser owns the buffer that the bytes are read into, so that nothing is copied before a unit is whole:
///
///     let count = read(pipe, parser.prepare())     // in the caller
///     parser.commit(count)
///     while let event = parser.next() { … }
///
/// A unit is whole when its declared length is reached, when the muxer stuffed its last packet, or when the next unit
/// of the same stream begins. Packets of other streams may stand between its packets. A unit that lost a packet is
/// dropped and counted, and so are bytes between packets.
public struct UnitParser: ~Copyable {
    /// What ``next()`` found.
    public enum Event {
        /// The program is another one than before, or the first.
        case program(Program)
        /// A unit is whole; its bytes can be had until the next call of ``UnitParser/next()``.
        case unit(AccessUnit)
    }

    /// What was passed over so far.
    public struct Losses: Sendable, Hashable {
        /// Bytes that belonged to no packet.
        public var garbageBytes: Int = 0
        /// Units that lost packets or were no PES packets.
        public var damagedUnits: Int = 0
    }

    public private(set) var program: Program?
    /// What the newest parameter set of the video says; `nil` before the first.
    public private(set) var videoFormat: VideoFormat?
    public private(set) var losses = Losses()

    /// The largest unit that is put together; a longer one counts as damaged.
    public let largestUnit: Int

    private var buffer: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var filled = 0
    private var cursor = 0

    private var mapPID: UInt16?
    private var associationSections = SectionAssembler()
    private var mapSections = SectionAssembler()
    private var video = Assembly()
    private var audio = Assembly()
    private var completed: StreamKind?
    private var scratch: UnsafeMutablePointer<UInt8>
    private var parameterSet: [UInt8] = []

    private static let scratchSize = 64 << 10
    private static let firstScan = 1024

    /// - Parameters:
    ///   - capacity: Bytes to read at once at the most, at first.
    ///   - largestUnit: Bytes of the largest unit that is put together.
    public init(capacity: Int = 256 << 10, largestUnit: Int = 8 << 20) {
        self.capacity = max(capacity, 4 * Packet.size)
        self.largestUnit = largestUnit
        buffer = .allocate(capacity: self.capacity)
        scratch = .allocate(capacity: Self.scratchSize)
    }

    deinit {
        buffer.deallocate()
        scratch.deallocate()
    }

    // MARK: Bytes in

    /// Room for the next bytes of the writer, never empty. Invalidates the unit found last.
    public mutating func prepare() -> UnsafeMutableRawBufferPointer {
        release()
        if capacity - filled < capacity / 2 { compact() }
        if capacity - filled < capacity / 4 { grow() }
        return UnsafeMutableRawBufferPointer(start: buffer + filled, count: capacity - filled)
    }

    /// Says how many bytes were read into the room that ``prepare()`` gave.
    public mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= capacity - filled)
        filled += count
    }

    /// Takes bytes from elsewhere, as many as there is room for; returns how many.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) -> Int {
        let room = prepare()
        let count = min(room.count, bytes.count)
        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        commit(count)
        return count
    }

    private var firstKept: Int { min(cursor, min(video.firstByte, audio.firstByte)) }

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
        // Units that grow past the limit are given up, so the buffer never needs more than two of them and a read.
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2)
        larger.update(from: buffer, count: filled)
        buffer.deallocate()
        buffer = larger
        capacity *= 2
    }

    // MARK: Units out

    /// The next thing in the bytes so far; `nil` when more are needed.
    public mutating func next() -> Event? {
        release()
        while let packet = nextPacket() {
            let pid = packet.pid
            if pid == program?.video?.pid {
                if video.isEnded(by: packet), let unit = complete(.video) { return .unit(unit) }
                if !video.take(packet, at: cursor, limit: largestUnit) { losses.damagedUnits += 1 }
                cursor += Packet.size
                if video.isWhole, let unit = complete(.video) { return .unit(unit) }
            } else if pid == program?.audio?.pid {
                if audio.isEnded(by: packet), let unit = complete(.audio) { return .unit(unit) }
                if !audio.take(packet, at: cursor, limit: largestUnit) { losses.damagedUnits += 1 }
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

    /// Copies the packets of the unit that ``next()`` gave last.
    ///
    /// - Parameter destination: Room for `byteCount` bytes of that unit.
    public func copyUnit(to destination: UnsafeMutablePointer<UInt8>) {
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

    /// The packet at the cursor, after passing over what is none.
    private mutating func nextPacket() -> Packet? {
        while cursor + Packet.size <= filled {
            if buffer[cursor] == Packet.syncByte { return Packet(buffer + cursor) }
            var found = cursor + 1
            while found < filled {
                if buffer[found] == Packet.syncByte,
                    found + Packet.size >= filled || buffer[found + Packet.size] == Packet.syncByte
                {
                    break
                }
                found += 1
            }
            losses.garbageBytes += found - cursor
            cursor = found
        }
        return nil
    }

    private mutating func takeAssociation(_ packet: Packet) {
        guard !packet.hasError else { return }
        let offset = packet.payloadOffset
        var found: UInt16?
        associationSections.take(packet.bytes + offset, count: Packet.size - offset, startsUnit: packet.startsUnit) {
            found = PSI.programMapPID($0, count: $1) ?? found
        }
        if let found { mapPID = found }
    }

    private mutating func takeMap(_ packet: Packet) -> Bool {
        guard !packet.hasError else { return false }
        let offset = packet.payloadOffset
        var found: Program?
        mapSections.take(packet.bytes + offset, count: Packet.size - offset, startsUnit: packet.startsUnit) {
            found = PSI.program($0, count: $1) ?? found
        }
        guard let found, found != program else { return false }
        if found.video != program?.video { video = Assembly() }
        if found.audio != program?.audio { audio = Assembly() }
        if found.video?.codec != program?.video?.codec {
            videoFormat = nil
            parameterSet = []
        }
        program = found
        return true
    }

    /// Closes an open unit; `nil` when it cannot be used.
    private mutating func complete(_ kind: StreamKind) -> AccessUnit? {
        let assembly = kind == .video ? video : audio
        guard !assembly.isDamaged, let pts = assembly.pts, let dts = assembly.dts else {
            losses.damagedUnits += 1
            if kind == .video { video.close() } else { audio.close() }
            return nil
        }
        completed = kind
        var unit = AccessUnit(kind: kind, pts: pts, dts: dts, isKeyframe: false, duration: 0, byteCount: assembly.byteCount)
        switch kind {
        case .video:
            unit.isKeyframe = scanVideo(assembly)
        case .audio:
            let size = gather(assembly, limit: Self.scratchSize)
            unit.duration = ADTS.duration(of: UnsafeBufferPointer(start: scratch, count: size)) ?? 0
        }
        return unit
    }

    private mutating func scanVideo(_ assembly: borrowing Assembly) -> Bool {
        guard let codec = program?.video?.codec else { return false }
        var limit = Self.firstScan
        while true {
            let size = gather(assembly, limit: limit)
            let bytes = UnsafeBufferPointer(start: scratch, count: size)
            let scan = AccessUnitScan(bytes, codec: codec, randomAccess: assembly.isRandomAccess)
            if !scan.sawSlice, size == limit, limit < Self.scratchSize {
                limit = Self.scratchSize
                continue
            }
            if scan.isKeyframe, let range = scan.parameterSet { learn(UnsafeBufferPointer(rebasing: bytes[range]), codec: codec) }
            return scan.isKeyframe
        }
    }

    private mutating func learn(_ set: UnsafeBufferPointer<UInt8>, codec: Codec) {
        guard !parameterSet.elementsEqual(set) else { return }
        parameterSet = Array(set)
        videoFormat = codec == .h264 ? VideoFormat(h264: set) : VideoFormat(hevc: set)
    }

    /// Copies the start of a unit's payload, without packet and PES headers, to the scratch space.
    private func gather(_ assembly: borrowing Assembly, limit: Int) -> Int {
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

/// A unit that is being put together: which bytes of the buffer belong to it.
private struct Assembly {
    private(set) var isOpen = false
    private(set) var runs: [Range<Int>] = []
    private(set) var byteCount = 0
    private(set) var pts: Int64?
    private(set) var dts: Int64?
    private(set) var headerSize = 0
    private(set) var isRandomAccess = false
    private(set) var isWhole = false
    var isDamaged = false
    /// The continuity counter of the last packet with a payload.
    var continuity: UInt8?
    /// Bytes of the PES packet still to come; `nil` when its length is undeclared.
    private var missing: Int?

    var firstByte: Int { runs.first?.lowerBound ?? .max }

    /// The packet begins the next unit of the stream. When packets before it are missing, this unit is damaged.
    mutating func isEnded(by packet: Packet) -> Bool {
        guard isOpen, packet.startsUnit, let previous = continuity else { return false }
        if packet.isDiscontinuity { return true }
        if packet.hasPayload, packet.continuity == previous { return false }  // its own first packet, repeated
        if packet.continuity != (previous + 1) & 0x0F { isDamaged = true }
        return true
    }

    /// Takes the next packet of the stream; false when the unit grew past the limit and was given up.
    mutating func take(_ packet: Packet, at position: Int, limit: Int) -> Bool {
        guard !packet.hasError, !packet.isScrambled else {
            isDamaged = isOpen
            return true
        }
        guard packet.hasPayload else { return true }
        let previous = continuity
        continuity = packet.continuity
        if let previous, !packet.isDiscontinuity, isOpen {
            if packet.continuity == previous { return true }  // a repeated packet
            if packet.continuity != (previous + 1) & 0x0F { isDamaged = true }
        }
        if packet.startsUnit {
            open(packet, at: position)
        } else if isOpen {
            add(packet, at: position)
            if byteCount > limit {
                close()
                return false
            }
        }
        return true
    }

    private mutating func open(_ packet: Packet, at position: Int) {
        close()
        isOpen = true
        let offset = packet.payloadOffset
        if let header = PESHeader(packet.bytes + offset, count: Packet.size - offset) {
            pts = header.pts
            dts = header.dts
            headerSize = header.size
            missing = header.declaredLength == 0 ? nil : header.declaredLength + PESHeader.prefixSize
        } else {
            isDamaged = true
        }
        isRandomAccess = packet.isRandomAccess
        add(packet, at: position)
    }

    private mutating func add(_ packet: Packet, at position: Int) {
        let packetEnd = position + Packet.size
        if let last = runs.last, last.upperBound == position {
            runs[runs.count - 1] = last.lowerBound..<packetEnd
        } else {
            runs.append(position..<packetEnd)
        }
        byteCount += Packet.size
        if let missing {
            let left = missing - (Packet.size - packet.payloadOffset)
            self.missing = left
            isWhole = left <= 0
        } else {
            isWhole = packet.isStuffed
        }
    }

    mutating func close() {
        isOpen = false
        isWhole = false
        isDamaged = false
        runs.removeAll(keepingCapacity: true)
        byteCount = 0
        pts = nil
        dts = nil
        missing = nil
    }

    mutating func move(by distance: Int) {
        for index in runs.indices { runs[index] = runs[index].lowerBound - distance..<runs[index].upperBound - distance }
    }
}
