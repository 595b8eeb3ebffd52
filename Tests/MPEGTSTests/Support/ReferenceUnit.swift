import TestSupport

@testable import MPEGTS

/// A PES packet, found by a simple parser of the whole file that does not use the code under test.
struct ReferenceUnit: Hashable {
    var kind: StreamKind
    var pts: Int64
    var dts: Int64
    /// The elementary stream's bytes.
    var payload: [UInt8]
    /// The numbers of its packets.
    var packets: [Int]
    /// Its last packet shows that it is whole: the length is declared, or that packet is padded.
    var isEvident: Bool

    var content: Content { Content(kind: kind, payload: payload) }

    /// The duration of the audio in ticks.
    var audioDuration: Int64 { payload.withUnsafeBufferPointer { ADTS.read($0)?.duration } ?? 0 }

    struct Content: Hashable {
        var kind: StreamKind
        var payload: [UInt8]
    }

    /// All PES packets of audio and video in an undamaged stream, by their position.
    static func all(_ bytes: [UInt8]) -> [ReferenceUnit] {
        var open: [Int: ReferenceUnit] = [:]
        var done: [ReferenceUnit] = []
        for (number, slice) in TransportBytes.packets(bytes).enumerated() {
            let packet = Array(slice)
            let pid = TransportBytes.pid(slice)
            guard packet[3] & 0x10 != 0 else { continue }
            let isStuffed = packet[3] & 0x20 != 0 && (packet[4] == 0 || packet[5] & 0x10 == 0 && packet[4] > 1)
            var payload = Array(packet[(packet[3] & 0x20 != 0 ? 5 + Int(packet[4]) : 4)...])
            if packet[1] & 0x40 != 0 {
                if let unit = open.removeValue(forKey: pid) { done.append(unit) }
                guard payload.count > 18, payload.starts(with: [0, 0, 1]), payload[3] >= 0xC0, payload[3] <= 0xEF else {
                    continue
                }
                let pts = time(payload, 9)
                let dts = payload[7] & 0x40 != 0 ? time(payload, 14) : pts
                let isDeclared = payload[4] != 0 || payload[5] != 0
                payload.removeFirst(9 + Int(payload[8]))
                open[pid] = ReferenceUnit(
                    kind: packet[(packet[3] & 0x20 != 0 ? 5 + Int(packet[4]) : 4) + 3] >= 0xE0 ? .video : .audio,
                    pts: pts, dts: dts,
                    payload: payload, packets: [number], isEvident: isDeclared || isStuffed)
            } else if open[pid] != nil {
                open[pid]!.payload += payload
                open[pid]!.packets.append(number)
                open[pid]!.isEvident = open[pid]!.isEvident || isStuffed
            }
        }
        return (done + open.values).sorted { $0.packets[0] < $1.packets[0] }
    }

    private static func time(_ bytes: [UInt8], _ at: Int) -> Int64 {
        let b = bytes[at..<at + 5].map { Int64($0) }
        return (b[0] >> 1 & 7) << 30 | b[1] << 22 | (b[2] >> 1) << 15 | b[3] << 7 | b[4] >> 1
    }
}

extension [ReferenceUnit] {
    func of(_ kind: StreamKind) -> [ReferenceUnit] { filter { $0.kind == kind } }
}
