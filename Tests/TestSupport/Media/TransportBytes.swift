/// Reads and damages MPEG-TS without the code under test.
package enum TransportBytes {
    package static let packetSize = 188

    /// The packets of a stream that begins with a packet, without an incomplete packet at the end.
    package static func packets(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        stride(from: 0, through: bytes.count - packetSize, by: packetSize).map {
            bytes[$0..<$0 + packetSize]
        }
    }

    package static func pid(_ packet: ArraySlice<UInt8>) -> Int {
        Int(packet[packet.startIndex + 1] & 0x1F) << 8 | Int(packet[packet.startIndex + 2])
    }

    /// The timestamps of a PES header, as they are: a wrap is not corrected.
    package struct Timestamp: Sendable, Hashable {
        package let pid: Int
        /// In ticks of 1/90000 s, below 2^33.
        package let pts: UInt64
        package let dts: UInt64
        /// Whether its packet has the random access indicator.
        package let isRandomAccess: Bool
        /// The index of its packet.
        package let packet: Int
    }

    /// Every PES header with a PTS, in the order of the stream.
    package static func timestamps(_ bytes: [UInt8]) -> [Timestamp] {
        packets(bytes).enumerated().compactMap { index, packet in
            let packet = Array(packet)
            guard packet[1] & 0x40 != 0 else { return nil }
            let payload = 4 + (packet[3] & 0x20 != 0 ? 1 + Int(packet[4]) : 0)
            guard packet[3] & 0x10 != 0, payload + 19 <= packetSize,
                packet[payload..<payload + 3].elementsEqual([0, 0, 1]),
                packet[payload + 7] & 0x80 != 0
            else { return nil }
            func time(_ at: Int) -> UInt64 {
                let bytes = packet[at..<at + 5].map { UInt64($0) }
                let high = (bytes[0] >> 1 & 7) << 30
                let middle = bytes[1] << 22 | (bytes[2] >> 1) << 15
                return high | middle | bytes[3] << 7 | bytes[4] >> 1
            }
            let pts = time(payload + 9)
            let hasField = packet[3] & 0x20 != 0 && packet[4] > 0
            return Timestamp(
                pid: pid(packet[...]), pts: pts,
                dts: packet[payload + 7] & 0x40 != 0 ? time(payload + 14) : pts,
                isRandomAccess: hasField && packet[5] & 0x40 != 0, packet: index)
        }
    }

    /// Clears the random access indicator everywhere.
    package static func removeRandomAccess(_ bytes: inout [UInt8]) {
        for start in stride(from: 0, through: bytes.count - packetSize, by: packetSize)
        where bytes[start + 3] & 0x20 != 0 && bytes[start + 4] > 0 {
            bytes[start + 5] &= ~0x40
        }
    }

    /// Splits a stream into pieces of random sizes, as a socket would.
    package static func split(
        _ bytes: [UInt8], sizes: ClosedRange<Int> = 1...4096,
        using random: inout SeededRandom
    ) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: sizes, using: &random))
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }

    /// Drops packets, each with the given probability.
    ///
    /// - Returns: The rest, and the indices of the dropped packets.
    package static func drop(
        _ bytes: [UInt8], chance: Double, using random: inout SeededRandom
    ) -> (bytes: [UInt8], dropped: [Int]) {
        var kept: [UInt8] = []
        var dropped: [Int] = []
        for (index, packet) in packets(bytes).enumerated() {
            if Double.random(in: 0..<1, using: &random) < chance {
                dropped.append(index)
            } else {
                kept += packet
            }
        }
        return (kept, dropped)
    }

    /// Inserts random bytes between packets, at each place with the given probability. Some of them are false sync
    /// bytes.
    package static func insertGarbage(
        _ bytes: [UInt8], chance: Double, sizes: ClosedRange<Int> = 1...400,
        using random: inout SeededRandom
    ) -> [UInt8] {
        var result: [UInt8] = []
        for packet in packets(bytes) {
            if Double.random(in: 0..<1, using: &random) < chance {
                for _ in 0..<Int.random(in: sizes, using: &random) {
                    result.append(UInt8.random(in: 0...255, using: &random))
                }
            }
            result += packet
        }
        return result
    }

    /// Sets the version of every PAT and PMT, with a matching checksum. Each section must be within one packet, as
    /// FFmpeg's are.
    ///
    /// - Parameter version: A number in 0...31.
    package static func setTableVersion(_ bytes: inout [UInt8], to version: UInt8) {
        var tables: Set<Int> = [0]
        for start in stride(from: 0, through: bytes.count - packetSize, by: packetSize) {
            let packet = bytes[start..<start + packetSize]
            guard tables.contains(pid(packet)), packet[start + 1] & 0x40 != 0 else { continue }
            let field = packet[start + 3] & 0x20 != 0 ? 1 + Int(packet[start + 4]) : 0
            let section = start + 4 + field + 1 + Int(packet[start + 4 + field])
            guard section + 8 < start + packetSize else { continue }
            let length = Int(packet[section + 1] & 0x0F) << 8 | Int(packet[section + 2])
            let checksum = section + 3 + length - 4
            guard checksum + 4 <= start + packetSize else { continue }
            if packet[section] == 0 {
                for entry in stride(from: section + 8, to: checksum, by: 4) {
                    tables.insert(Int(packet[entry + 2] & 0x1F) << 8 | Int(packet[entry + 3]))
                }
            }
            bytes[section + 5] = bytes[section + 5] & 0xC1 | version << 1
            let value = crc(bytes[section..<checksum])
            for byte in 0..<4 {
                bytes[checksum + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * byte))
            }
        }
    }

    /// CRC-32/MPEG-2, as in PSI sections.
    package static func crc(_ bytes: some Sequence<UInt8>) -> UInt32 {
        bytes.reduce(0xFFFF_FFFF as UInt32) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte) << 24) { crc, _ in
                crc & 0x8000_0000 != 0 ? crc << 1 ^ 0x04C1_1DB7 : crc << 1
            }
        }
    }
}
