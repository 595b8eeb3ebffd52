import MPEGTS
import Testing

@testable import RTMP

/// The timestamps of one stream jump, while those of the other continue.
@Suite struct LoneJumpTests {
    /// Plays video at 30 frames a second and audio at 48 kHz. One stream has other timestamps for a while.
    ///
    /// - Parameter stamp: The timestamp that the stream states for a time, in milliseconds.
    /// - Returns: The differences between the times of both streams and their capture, in milliseconds.
    private func errors(
        of kind: StreamKind, seconds: Int = 40, skew: Int = 0, stamp: (Int) -> Int
    ) -> (it: [(at: Int, error: Int)], other: [(at: Int, error: Int)]) {
        var reading = Reading()
        reading.take(Message(.video, 0, Media.avcHeader()))
        reading.take(Message(.audio, 0, Media.aacHeader()))
        var messages: [(at: Int, kind: StreamKind, captured: Int)] = []
        for number in 0..<seconds * 30 {
            let captured = number * 100 / 3
            messages.append((captured + (kind == .video ? skew : 0), .video, captured))
        }
        for number in 0..<seconds * 1000 * 3 / 64 {
            let captured = number * 64 / 3
            messages.append((captured + (kind == .audio ? skew : 0), .audio, captured))
        }
        var errors: [StreamKind: [(at: Int, error: Int)]] = [:]
        for message in messages.sorted(by: { $0.at < $1.at }) {
            reading.now = Int64(message.at) * 90
            let time = message.kind == kind ? stamp(message.captured) : message.captured
            let unit =
                message.kind == .video
                ? reading.video(time, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))
                : reading.audio(time, Media.aac())
            let pts = unit.map { Ticks.extend($0.unit.pts, near: Int64(message.captured) * 90) } ?? .max / 2
            errors[message.kind, default: []].append((message.captured, Int(pts) / 90 - message.captured))
        }
        return (errors[kind] ?? [], errors[kind == .video ? .audio : .video] ?? [])
    }

    static let jumps = [-550, -700, -950, -1500, -5000, -9500, -10_500, -20_000, -600_000, 5000, 30_000, 95_000_000]

    @Test(
        "one stream jumps -> it continues by its arrival, and the other one stays",
        arguments: [StreamKind.video, .audio], jumps)
    func alone(_ kind: StreamKind, _ size: Int) {
        for skew in [0, 60, 400] {
            let errors = errors(of: kind, skew: skew) { $0 < 20_000 ? $0 : $0 + size }
            #expect(errors.other.allSatisfy { abs($0.error) <= 25 }, "\(skew)")
            #expect(errors.it.allSatisfy { abs($0.error) <= 40 }, "\(skew)")
        }
    }

    @Test(
        "one stream restarts at 0 -> it continues by its arrival, and the other one stays",
        arguments: [StreamKind.video, .audio], [1000, 3000, 6000, 11_000, 30_000])
    func restart(_ kind: StreamKind, _ age: Int) {
        let errors = errors(of: kind) { $0 < age ? $0 : $0 - age }
        #expect(errors.other.allSatisfy { abs($0.error) <= 25 })
        #expect(errors.it.allSatisfy { abs($0.error) <= 40 })
    }

    @Test(
        "a few times of one stream are far ahead -> it returns, and the other one stays",
        arguments: [StreamKind.video, .audio], [600, 800, 950, 5000, -5000, 600_000])
    func burst(_ kind: StreamKind, _ size: Int) {
        for length in [30, 200, 1000] {
            let errors = errors(of: kind) { (20_000..<20_000 + length).contains($0) ? $0 + size : $0 }
            #expect(errors.other.allSatisfy { abs($0.error) <= 25 }, "\(length)")
            #expect(errors.it.allSatisfy { $0.at < 24_000 || abs($0.error) <= 40 }, "\(length)")
        }
    }

    @Test(
        "one stream jumps there and back for a minute -> no offset accumulates", arguments: [StreamKind.video, .audio])
    func again(_ kind: StreamKind) {
        let errors = errors(of: kind, seconds: 60) { $0 % 2000 < 700 && $0 > 2000 ? $0 - 5000 : $0 }
        #expect(errors.other.allSatisfy { abs($0.error) <= 25 })
        #expect(errors.it.allSatisfy { abs($0.error) <= 40 })
    }

    @Test("one stream steps ahead by less than a second and stays -> its times are used", arguments: [200, 500, 950])
    func ahead(_ size: Int) {
        for kind in [StreamKind.video, .audio] {
            let errors = errors(of: kind) { $0 < 20_000 ? $0 : $0 + size }
            #expect(errors.other.allSatisfy { abs($0.error) <= 25 })
            #expect(errors.it.allSatisfy { $0.at < 20_100 || abs($0.error - size) <= 40 })
        }
    }
}
