import MediaTypes

@testable import MPEGTS

extension FuzzTarget {
    /// The bytes of a relay or encoder. The result must not depend on how they are split, and the parser's memory must
    /// stay within its limit.
    static let transportStream = FuzzTarget(
        name: "transport-stream",
        seeds: [[7] + WireSeeds.stream, [255] + WireSeeds.stream, [0] + WireSeeds.stream.dropFirst(40)]
    ) { input in
        guard let choice = input.first else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: input[1...])
        var sizes = FuzzInput(input)
        let pieces = (0..<16).map { _ in 1 + Int(sizes.byte()) * 3 }
        guard choice & 1 == 1 else {
            _ = try units(of: bytes, pieces: pieces, largestUnit: 2 << 10)
            return
        }
        // Units above the limit are dropped with the next read at the latest, so their result depends on the pieces.
        let largestUnit = max(16 << 10, bytes.count)
        let whole = try units(of: bytes, pieces: [], largestUnit: largestUnit)
        let split = try units(of: bytes, pieces: pieces, largestUnit: largestUnit)
        try demand(
            whole == split, "the result depends on how the bytes are split: \(whole.count) units and \(split.count)")
    }

    private static func units(of bytes: UnsafeRawBufferPointer, pieces: [Int], largestUnit: Int) throws -> [AccessUnit]
    {
        var parser = UnitParser(capacity: 4096, largestUnit: largestUnit)
        var found: [AccessUnit] = []
        var position = 0
        var piece = 0
        while position < bytes.count {
            let size = pieces.isEmpty ? bytes.count : pieces[piece % pieces.count]
            piece += 1
            position += parser.append(
                UnsafeRawBufferPointer(rebasing: bytes[position..<min(bytes.count, position + size)]))
            while let event = parser.next() {
                guard case .unit(let unit) = event else { continue }
                try demand(unit.byteCount > 0 && unit.byteCount % Packet.size == 0, "a unit of \(unit.byteCount) bytes")
                try demand(
                    unit.byteCount <= largestUnit, "a unit of \(unit.byteCount) bytes is larger than the largest")
                let packets = [UInt8](unsafeUninitializedCapacity: unit.byteCount) {
                    parser.copyUnit(to: $0.baseAddress!)
                    $1 = unit.byteCount
                }
                for start in stride(from: 0, to: packets.count, by: Packet.size) {
                    try demand(packets[start] == Packet.syncByte, "a packet of a unit begins with \(packets[start])")
                }
                found.append(unit)
            }
        }
        try demand(
            parser.capacity <= max(8 * largestUnit, 16 << 10),
            "the parser holds \(parser.capacity) bytes for units of \(largestUnit)")
        return found
    }

    /// Sections of any multiplexer. Their checksums are corrected, so that the code behind the check is reached.
    static let programTables = FuzzTarget(
        name: "program-tables", seeds: [WireSeeds.association + WireSeeds.map, WireSeeds.map]
    ) { input in
        var assembler = SectionAssembler()
        var source = FuzzInput(input)
        while !source.isAtEnd {
            let flags = source.byte()
            var payload = Array(source.take(1 + Int(flags & 0x7F)))
            guard !payload.isEmpty else { break }
            let startsUnit = flags & 0x80 != 0
            if startsUnit {
                // If the section is whole in this payload, it gets the right checksum.
                let start = 1 + Int(payload[0] & 0x1F)
                payload[0] &= 0x1F
                if start + 3 <= payload.count {
                    let length = 3 + (Int(payload[start + 1] & 0x0F) << 8 | Int(payload[start + 2]))
                    if length >= 7, start + length <= payload.count { sign(&payload, start..<start + length) }
                }
            }
            payload.withUnsafeBufferPointer { bytes in
                assembler.take(bytes.baseAddress!, count: bytes.count, startsUnit: startsUnit) { section, count in
                    _ = PSI.programMapPID(section, count: count)
                    _ = PSI.program(section, count: count)
                }
            }
            try demand(assembler.count <= 4098 + 188, "\(assembler.count) bytes of a section are kept")
        }
        // And the input as one section.
        var section = Array(input.prefix(4096))
        if section.count >= 7 {
            sign(&section, 0..<section.count)
            section.withUnsafeBufferPointer {
                _ = PSI.programMapPID($0.baseAddress!, count: $0.count)
                _ = PSI.program($0.baseAddress!, count: $0.count)
            }
        }
    }

    private static func sign(_ bytes: inout [UInt8], _ range: Range<Int>) {
        let crc = bytes.withUnsafeBufferPointer { PSI.crc($0.baseAddress! + range.lowerBound, count: range.count - 4) }
        for index in 0..<4 {
            bytes[range.upperBound - 4 + index] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * UInt32(index)))
        }
    }

    /// Parameter sets and slices of any camera or encoder.
    static let videoFormat = FuzzTarget(
        name: "video-format", seeds: [[0] + WireSeeds.parameterSet, [1] + WireSeeds.keyframe]
    ) { input in
        guard let kind = input.first else { return }
        let copy = Array(input.dropFirst())
        try copy.withUnsafeBufferPointer { bytes in
            for format in [VideoFormat(h264: bytes), VideoFormat(hevc: bytes)].compactMap({ $0 }) {
                try demand(
                    (1...16384).contains(format.width) && (1...32768).contains(format.height),
                    "a frame of \(format.width)x\(format.height)")
                if let rate = format.frameRate {
                    try demand(rate.numerator > 0 && rate.denominator > 0, "a rate of \(rate)")
                }
            }
            let scan = AccessUnitScan(
                bytes, codec: kind & 1 == 0 ? .h264 : .hevc, randomAccess: kind & 2 != 0, isCut: kind & 4 != 0)
            if let set = scan.parameterSet {
                try demand(set.lowerBound >= 0 && set.upperBound <= bytes.count, "a parameter set outside its bytes")
            }
            if let audio = ADTS.read(bytes) { try demand(audio.duration > 0, "audio of \(audio.duration) ticks") }
        }
    }
}
