import MPEGTS
import TestSupport
import Testing

/// Checks the bytes that leave a feed.
enum Wire {
    /// Expects continuous counters, valid tables, and times that never go back.
    static func expectValid(_ bytes: [UInt8], _ hint: String, location: SourceLocation = #_sourceLocation) {
        #expect(bytes.count % 188 == 0, "\(hint)", sourceLocation: location)
        var counters: [Int: UInt8] = [:]
        var complaints: [String] = []
        var clock: Int64?
        for (number, slice) in TransportBytes.packets(bytes).enumerated() {
            let packet = Array(slice)
            let pid = TransportBytes.pid(slice)
            if packet[0] != 0x47 { complaints.append("packet \(number) has no sync byte") }
            if ![0, 0x100, 0x101, 0x1000].contains(pid) { complaints.append("packet \(number) has PID \(pid)") }
            let flags = packet[3] & 0x20 != 0 && packet[4] > 0 ? packet[5] : 0
            let counter = packet[3] & 0x0F
            if flags & 0x80 == 0 {
                let expected = counters[pid].map { packet[3] & 0x10 != 0 ? ($0 + 1) & 0x0F : $0 }
                if let expected, expected != counter {
                    complaints.append("packet \(number), PID \(pid): counter \(counter), not \(expected)")
                }
            } else {
                clock = nil
            }
            counters[pid] = counter
            if pid == 0 || pid == 0x1000, packet[3] & 0x10 != 0 {
                let length = 3 + (Int(packet[6] & 0x0F) << 8 | Int(packet[7]))
                if TransportBytes.crc(packet[5..<5 + length]) != 0 { complaints.append("packet \(number): checksum") }
            }
            if flags & 0x10 != 0 {
                let base = packet[6..<10].reduce(0 as Int64) { $0 << 8 | Int64($1) } << 1 | Int64(packet[10] >> 7)
                let extended = clock.map { Ticks.extend(base, near: $0) } ?? base
                if let clock, extended < clock {
                    complaints.append("packet \(number): clock goes back by \(clock - extended)")
                }
                clock = extended
            }
        }
        let units = ReferenceUnit.all(bytes)
        for kind in [StreamKind.video, .audio] {
            var last: Int64?
            var shown: Set<Int64> = []
            for unit in units.of(kind) {
                let dts = last.map { Ticks.extend(unit.dts, near: $0) } ?? unit.dts
                let pts = Ticks.extend(unit.pts, near: dts)
                if let last, dts <= last {
                    complaints.append("\(kind) packet \(unit.packets[0]): DTS \(dts) after \(last)")
                }
                if pts < dts { complaints.append("\(kind) packet \(unit.packets[0]): PTS \(pts) before DTS \(dts)") }
                if !shown.insert(pts).inserted {
                    complaints.append("\(kind) packet \(unit.packets[0]): PTS \(pts) twice")
                }
                last = dts
            }
        }
        #expect(complaints.isEmpty, "\(hint): \(complaints.prefix(5))", sourceLocation: location)
    }

    /// Expects that FFmpeg decodes the bytes without a message.
    static func expectDecodes(_ bytes: [UInt8], _ hint: String, location: SourceLocation = #_sourceLocation)
        async throws
    {
        let done = try await TestProcess.run(
            "ffmpeg",
            [
                "-hide_banner", "-nostdin", "-nostats", "-v", "warning", "-copyts", "-f", "mpegts", "-i", "pipe:0",
                // The times as they are: FFmpeg closes gaps of more than ten seconds itself, and rounded to whole
                // frames, pictures of two writers can fall together.
                "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "null", "-",
            ],
            input: .bytes(bytes))
        #expect(
            done.ending == .exited(0) && done.errors.isEmpty, "\(hint): \(done.errors.prefix(600))",
            sourceLocation: location)
    }
}
