/// Reads the program association and program map tables of a writer, and writes those of the feed.
enum PSI {
    /// CRC-32/MPEG-2, which ends every section.
    static func crc(_ bytes: UnsafePointer<UInt8>, count: Int) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for index in 0..<count {
            crc ^= UInt32(bytes[index]) << 24
            for _ in 0..<8 { crc = crc & 0x8000_0000 != 0 ? crc << 1 ^ 0x04C1_1DB7 : crc << 1 }
        }
        return crc
    }

    /// `current_next_indicator`: whether the section is valid now, and does not announce a later one.
    private static func isInForce(_ section: UnsafePointer<UInt8>) -> Bool { section[5] & 1 == 1 }

    /// The PID of the first program's map in a whole PAT section; `nil` if the section is not one.
    static func programMapPID(_ section: UnsafePointer<UInt8>, count: Int) -> UInt16? {
        guard count >= 12, section[0] == 0x00, isInForce(section), crc(section, count: count) == 0 else { return nil }
        var entry = 8
        while entry + 4 <= count - 4 {
            let number = UInt16(section[entry]) << 8 | UInt16(section[entry + 1])
            let pid = UInt16(section[entry + 2] & 0x1F) << 8 | UInt16(section[entry + 3])
            if number != 0 { return pid }
            entry += 4
        }
        return nil
    }

    /// The program in a whole PMT section; `nil` if the section is not one.
    static func program(_ section: UnsafePointer<UInt8>, count: Int) -> Program? {
        guard count >= 16, section[0] == 0x02, isInForce(section), crc(section, count: count) == 0 else { return nil }
        var program = Program(video: nil, audio: nil)
        var entry = 12 + (Int(section[10] & 0x0F) << 8 | Int(section[11]))
        while entry + 5 <= count - 4 {
            let number = section[entry]
            let pid = UInt16(section[entry + 1] & 0x1F) << 8 | UInt16(section[entry + 2])
            if let type = StreamType(rawValue: number) {
                let stream = Program.Stream(pid: pid, type: type)
                switch type {
                case .h264, .hevc: program.video = program.video ?? stream
                case .aac: program.audio = program.audio ?? stream
                }
            } else {
                program.foreign.append(number)
            }
            entry += 5 + (Int(section[entry + 3] & 0x0F) << 8 | Int(section[entry + 4]))
        }
        return program
    }

    /// Writes the feed's PAT and PMT as two packets.
    ///
    /// - Parameter version: 0…31; it increases with each change of the program.
    static func write(
        _ program: Program, version: UInt8, patContinuity: UInt8, pmtContinuity: UInt8,
        to packets: UnsafeMutablePointer<UInt8>
    ) {
        writePacket(pid: 0, continuity: patContinuity, to: packets) { section in
            writeSection(table: 0x00, id: 1, version: version, to: section) { body in
                body[0] = 0
                body[1] = 1
                body[2] = 0xE0 | UInt8(FeedLayout.programMapPID >> 8)
                body[3] = UInt8(truncatingIfNeeded: FeedLayout.programMapPID)
                return 4
            }
        }
        writePacket(pid: FeedLayout.programMapPID, continuity: pmtContinuity, to: packets + Packet.size) { section in
            writeSection(table: 0x02, id: 1, version: version, to: section) { body in
                body[0] = 0xE0 | UInt8(FeedLayout.videoPID >> 8)
                body[1] = UInt8(truncatingIfNeeded: FeedLayout.videoPID)
                body[2] = 0xF0
                body[3] = 0
                var used = 4
                for (type, pid) in [
                    (program.video?.type, FeedLayout.videoPID), (program.audio?.type, FeedLayout.audioPID),
                ] {
                    guard let type else { continue }
                    body[used] = type.rawValue
                    body[used + 1] = 0xE0 | UInt8(pid >> 8)
                    body[used + 2] = UInt8(truncatingIfNeeded: pid)
                    body[used + 3] = 0xF0
                    body[used + 4] = 0
                    used += 5
                }
                return used
            }
        }
    }

    private static func writePacket(
        pid: UInt16, continuity: UInt8, to packet: UnsafeMutablePointer<UInt8>,
        section: (UnsafeMutablePointer<UInt8>) -> Int
    ) {
        packet.update(repeating: 0xFF, count: Packet.size)
        packet[0] = Packet.syncByte
        packet[1] = 0x40 | UInt8(pid >> 8)
        packet[2] = UInt8(truncatingIfNeeded: pid)
        packet[3] = 0x10 | continuity & 0x0F
        packet[4] = 0
        _ = section(packet + 5)
    }

    private static func writeSection(
        table: UInt8, id: UInt16, version: UInt8, to section: UnsafeMutablePointer<UInt8>,
        body: (UnsafeMutablePointer<UInt8>) -> Int
    ) -> Int {
        let length = 5 + body(section + 8) + 4
        section[0] = table
        section[1] = 0xB0 | UInt8(length >> 8)
        section[2] = UInt8(truncatingIfNeeded: length)
        section[3] = UInt8(id >> 8)
        section[4] = UInt8(truncatingIfNeeded: id)
        section[5] = 0xC1 | version << 1
        section[6] = 0
        section[7] = 0
        let crc = crc(section, count: length - 1)
        for index in 0..<4 { section[length - 1 + index] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * UInt32(index))) }
        return length + 3
    }
}

/// The PIDs of a feed, whatever PIDs its writers use.
package enum FeedLayout {
    package static let programMapPID: UInt16 = 0x1000
    package static let videoPID: UInt16 = 0x0100
    package static let audioPID: UInt16 = 0x0101
}
