/// What libsrt says of packets that came too late for the receiver's latency, or not at all.
///
/// A receiver alone says so: `RCV-DROPPED 16 packet(s). Packet seqno %717136270 delayed for 988.922 ms` (libsrt 1.5). A
/// sender drops without a word.
package enum SRTDrops {
    /// - Returns: How many packets a line says were given up; 0 for a line of something else.
    package static func packets(in line: LogLine) -> Int {
        // libsrt writes past FFmpeg's log.
        guard line.level == nil, let mark = line.text.firstRange(of: "RCV-DROPPED ") else { return 0 }
        return Int(line.text[mark.upperBound...].prefix { $0.isNumber }) ?? 0
    }
}
