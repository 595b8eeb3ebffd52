/// Reads libsrt's messages about packets that arrived too late for the receiver's latency, or did not arrive.
///
/// Only a receiver logs them: `RCV-DROPPED 16 packet(s). Packet seqno %717136270 delayed for 988.922 ms` (libsrt 1.5).
/// A sender drops packets without a message.
package enum SRTDrops {
    /// - Returns: How many packets a line reports as dropped. 0 for any other line.
    package static func packets(in line: LogLine) -> Int {
        // libsrt does not write through FFmpeg's log.
        guard line.level == nil, let mark = line.text.firstRange(of: "RCV-DROPPED ") else { return 0 }
        return Int(line.text[mark.upperBound...].prefix { $0.isNumber }) ?? 0
    }
}
