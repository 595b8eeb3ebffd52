/// A unit that is being assembled: the bytes of the parser's buffer that belong to it.
struct UnitAssembly {
    private(set) var isOpen = false
    private(set) var runs: [Range<Int>] = []
    private(set) var byteCount = 0
    private(set) var pts: Int64?
    private(set) var dts: Int64?
    private(set) var headerSize = 0
    private(set) var isRandomAccess = false
    private(set) var isWhole = false
    private(set) var isDamaged = false
    /// The continuity counter of the last packet with a payload.
    private var continuity: UInt8?
    /// Bytes of the PES packet that have not arrived yet; `nil` if its length is undeclared.
    private var missing: Int?
    /// Whether stuffing ended the last unit.
    private var endedStuffed = false
    /// Whether the muxer has not padded a packet in the middle of a unit so far.
    private var trustsStuffing = true
    /// Presentation time of the last unit.
    private var lastPTS: Int64?
    /// Whether a packet without payload announced a discontinuity of the counter.
    private var isInterrupted = false

    var firstByte: Int { runs.first?.lowerBound ?? .max }

    /// Whether the packet begins the next unit of the stream. If packets before it are missing, this unit is damaged.
    mutating func isEnded(by packet: Packet, in buffer: UnsafeMutablePointer<UInt8>) -> Bool {
        guard isOpen, packet.startsUnit, packet.hasPayload, !packet.hasError, !packet.isScrambled,
            let previous = continuity
        else {
            return false
        }
        if packet.continuity == previous, repeatsLast(packet, in: buffer) { return false }
        // A declared length that was not reached shows it even if sixteen packets are missing.
        if missing != nil { isDamaged = true }
        if !packet.isDiscontinuity, packet.continuity != (previous + 1) & 0x0F { isDamaged = true }
        return true
    }

    /// Takes the next packet of the stream.
    ///
    /// - Returns: `false` if a unit had to be dropped: it grew past the limit, or it continued after its assumed end.
    mutating func take(_ packet: Packet, at position: Int, in buffer: UnsafeMutablePointer<UInt8>, limit: Int) -> Bool {
        guard !packet.hasError, !packet.isScrambled else {
            isDamaged = isOpen
            return true
        }
        guard packet.hasPayload else {
            if packet.isDiscontinuity, let previous = continuity, packet.continuity != previous {
                continuity = packet.continuity
                isInterrupted = isOpen
            }
            return true
        }
        let previous = continuity
        continuity = packet.continuity
        let isNext = previous.map { packet.continuity == ($0 + 1) & 0x0F } ?? true
        if !isNext, packet.continuity == previous, repeatsLast(packet, in: buffer) { return true }
        if packet.startsUnit {
            open(packet, at: position)
        } else if isOpen {
            if !isNext || isInterrupted { isDamaged = true }
            add(packet, at: position)
            if byteCount > limit {
                close()
                return false
            }
        } else if endedStuffed {
            endedStuffed = false
            // Only the next packet proves it. After a gap, the packet may belong to a unit whose start was lost.
            trustsStuffing = !isNext
            return trustsStuffing
        }
        return true
    }

    /// Whether the packet repeats the previous one (ISO/IEC 13818-1, 2.4.3.3), and is not the one sixteen packets
    /// later.
    private func repeatsLast(_ packet: Packet, in buffer: UnsafeMutablePointer<UInt8>) -> Bool {
        let offset = packet.payloadOffset
        guard isOpen, let end = runs.last?.upperBound else {
            return packet.startsUnit && lastPTS != nil
                && PESHeader(packet.bytes + offset, count: Packet.size - offset)?.pts == lastPTS
        }
        let last = Packet(buffer + end - Packet.size)
        guard last.payloadOffset == offset else { return false }
        for index in offset..<Packet.size where last.bytes[index] != packet.bytes[index] { return false }
        return true
    }

    private mutating func open(_ packet: Packet, at position: Int) {
        close()
        isOpen = true
        endedStuffed = false
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
        } else if trustsStuffing, packet.isStuffed {
            isWhole = true
            endedStuffed = true
        }
    }

    mutating func close() {
        if let pts { lastPTS = pts }
        isOpen = false
        isWhole = false
        isDamaged = false
        isInterrupted = false
        runs.removeAll(keepingCapacity: true)
        byteCount = 0
        pts = nil
        dts = nil
        missing = nil
    }

    mutating func move(by distance: Int) {
        for index in runs.indices {
            runs[index] = runs[index].lowerBound - distance..<runs[index].upperBound - distance
        }
    }
}
