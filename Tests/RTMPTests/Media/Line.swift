import MPEGTS

@testable import RTMP

/// A channel's splicer with one publisher, and a reader of its feed.
struct Line: ~Copyable {
    var reader = MediaReader()
    let feed = Feed()
    var splicer: Splicer
    var writer = Splicer.Writer(.following)
    var now: Int64 = 0

    init() { splicer = Splicer(feed: feed, fillsSilence: true) }

    @discardableResult
    mutating func send(_ kind: StreamKind, _ time: Int, _ body: [UInt8]) -> Splicer.Outcome? {
        now = max(now, Int64(time) * 90)
        return take(Message(kind, time, body), at: now)?.outcome
    }

    /// - Returns: The unit of the message, as the splicer received it, and its outcome.
    mutating func take(_ message: Message, at now: Int64) -> (unit: AccessUnit, outcome: Splicer.Outcome)? {
        message.bytes.withUnsafeBytes { bytes in
            guard case .unit(let unit, _) = reader.take(message.header, bytes, now: now) else { return nil }
            return (unit, splicer.accept(unit, of: &writer, from: reader.unit(in: bytes), now: now))
        }
    }

    /// Parses the feed from its oldest keyframe, like a relay's output.
    func units() -> [(unit: AccessUnit, payload: [UInt8])] {
        var parser = UnitParser()
        var units: [(AccessUnit, [UInt8])] = []
        let reader = feed.makeReader(notAfter: .min)
        while let bytes = reader.next() {
            let count = parser.append(bytes)
            reader.consume(count)
            while let event = parser.next() {
                guard case .unit(let unit) = event else { continue }
                let packets = [UInt8](unsafeUninitializedCapacity: unit.byteCount) { buffer, count in
                    parser.copyUnit(to: buffer.baseAddress!)
                    count = unit.byteCount
                }
                units.append((unit, Packets.payload(packets)))
            }
        }
        return units
    }
}
