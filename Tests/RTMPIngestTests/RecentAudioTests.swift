import MPEGTS
import TestSupport
import Testing

@testable import RTMP
@testable import RTMPIngest

/// The audio messages that are kept for the next converter.
@Suite struct RecentAudioTests {
    private static func audio(_ milliseconds: Int) -> MediaReader.ForeignAudioMessage {
        MediaReader.ForeignAudioMessage(coding: .mp3, isHeader: false, time: Int64(milliseconds) * 90, body: 1..<2)
    }

    /// The replayed messages: the time of each in milliseconds, and its bytes.
    private func replayed(_ recent: RecentAudio, from milliseconds: Int = .min / 90) -> [(time: Int, bytes: [UInt8])] {
        var found: [(time: Int, bytes: [UInt8])] = []
        recent.replay(from: Int64(milliseconds) * 90) { found.append((Int($0.time / 90), Array($1))) }
        return found
    }

    private func append(_ message: [UInt8], at milliseconds: Int, to recent: inout RecentAudio) {
        message.withUnsafeBytes { recent.append(Self.audio(milliseconds), $0) }
    }

    @Test("messages from a time on are replayed in order, byte for byte")
    func replay() {
        var recent = RecentAudio()
        for number in 0..<10 { append([UInt8(number), 7], at: number * 20, to: &recent) }
        #expect(replayed(recent, from: 101).map(\.time) == [120, 140, 160, 180])
        #expect(replayed(recent, from: 100).map(\.bytes) == (5..<10).map { [UInt8($0), 7] })
        #expect(replayed(recent, from: 181).isEmpty)
        #expect(replayed(recent).count == 10)
    }

    @Test("messages that are older than the span are removed")
    func span() {
        var recent = RecentAudio(span: 1000 * 90)
        for number in 0..<500 {
            append([UInt8(number & 0xFF)], at: number * 20, to: &recent)
            #expect(recent.count == min(number + 1, 51))
        }
        #expect(replayed(recent).map(\.time) == (449..<500).map { $0 * 20 })
        #expect(replayed(recent).map(\.bytes) == (449..<500).map { [UInt8($0 & 0xFF)] })
    }

    @Test("a jump of the times -> only the messages after it are kept")
    func jump() {
        var recent = RecentAudio()
        for number in 0..<10 { append([1], at: number * 20, to: &recent) }
        append([2], at: 600_000, to: &recent)
        append([3], at: 600_020, to: &recent)
        #expect(replayed(recent).map(\.bytes) == [[2], [3]])
    }

    @Test("times go back a little -> the order of messages stays")
    func back() {
        var recent = RecentAudio()
        for (number, time) in [0, 100, 70, 90, 120].enumerated() { append([UInt8(number)], at: time, to: &recent) }
        #expect(replayed(recent, from: 80).map(\.bytes) == [[1], [3], [4]])
    }

    @Test("messages of any size stay within the limit, and the newest ones are whole")
    func bytes() {
        var random = SeededRandom(seed: 19)
        let most = 10_000
        var recent = RecentAudio(span: .max, maximumBytes: most)
        var sent: [[UInt8]] = []
        for number in 0..<3000 {
            let count = Int.random(in: 0...(number % 50 == 0 ? most / 2 : 300), using: &random)
            let message = (0..<count).map { UInt8(truncatingIfNeeded: number + $0) }
            append(message, at: number, to: &recent)
            sent.append(message)
            let kept = replayed(recent)
            #expect(kept.reduce(0) { $0 + $1.bytes.count } <= most)
            #expect(kept.map(\.bytes) == sent.suffix(kept.count) && !kept.isEmpty)
            if number % 100 == 0 { sent.removeFirst(max(0, sent.count - 400)) }
        }
    }

    @Test("a message that is larger than the limit empties the buffer")
    func large() {
        var recent = RecentAudio(maximumBytes: 1000)
        append([1], at: 0, to: &recent)
        append([UInt8](repeating: 2, count: 1001), at: 20, to: &recent)
        #expect(recent.count == 0 && replayed(recent).isEmpty)
        append([3], at: 40, to: &recent)
        #expect(replayed(recent).map(\.bytes) == [[3]])
    }

    @Test("removed messages are not replayed")
    func removed() {
        var recent = RecentAudio()
        for number in 0..<10 { append([1], at: number * 20, to: &recent) }
        recent.removeAll()
        #expect(recent.count == 0 && replayed(recent).isEmpty)
        append([2], at: 300, to: &recent)
        #expect(replayed(recent).map(\.time) == [300])
    }
}
