import RTMP
import Testing

@testable import Ingest

/// What is kept for the relay, and for the one after it.
@Suite struct WindowTests {
    private static let config: [UInt8] = [0x17, 0, 0, 0, 0]

    /// A publisher of a picture every 40 ms, with a keyframe every ten, and its relay.
    private struct Line {
        var window: MediaWindow
        var now = Int64(0)
        var time: UInt32 = 7_000
        /// The relay takes what there is at once.
        var isTaken = true
        var taken: [UInt8] = []

        init(_ limits: IngestLimits = IngestLimits()) {
            window = MediaWindow(limits: limits)
            add(WindowTests.config)
        }

        mutating func add(_ bytes: [UInt8]) {
            bytes.withUnsafeBytes { bytes in
                let header = MessageHeader(type: 9, timestamp: time)
                window.append(MediaMessage(header, bytes), header, bytes, now: now)
            }
            window.seal(now: now)
            if isTaken { take() }
        }

        mutating func take() { while let piece = window.take(now: now) { taken += piece } }

        mutating func pictures(_ range: Range<Int>, size: Int = 10) {
            for number in range {
                add([number % 10 == 0 ? 0x17 : 0x27, 1, 0, 0, 0] + [UInt8(number >> 8), UInt8(number & 255)] + Array(repeating: 0, count: size))
                time += 40
                now += 40_000_000
            }
        }

        /// Nobody takes anything, and there is little room.
        static func blocked() -> Line {
            var limits = IngestLimits()
            limits.unread = 50_000
            limits.kept = 60_000
            var line = Line(limits)
            line.isTaken = false
            return line
        }

        /// - Parameter onlyKeyframes: The same keyframe again and again.
        /// - Returns: How many pictures came until the window was full.
        mutating func fill(size: Int, onlyKeyframes: Bool = false) -> Int {
            var count = 0
            while !window.isFull {
                let number = onlyKeyframes ? 0 : count
                pictures(number..<number + 1, size: size)
                count += 1
            }
            return count
        }

        /// What a relay gets that begins now.
        mutating func begin(after time: Int64?) -> [Int] {
            taken = window.begin(after: time)
            take()
            return numbers
        }

        /// The pictures that the relay has got, and -1 for each sequence header.
        var numbers: [Int] {
            var rest = taken.starts(with: FLV.header) ? taken.dropFirst(FLV.header.count) : taken[...]
            var found: [Int] = []
            while rest.count > 11 {
                let bytes = Array(rest.prefix(11))
                let size = Int(bytes[1]) << 16 | Int(bytes[2]) << 8 | Int(bytes[3])
                let body = Array(rest.dropFirst(11).prefix(size))
                found.append(body == WindowTests.config ? -1 : Int(body[5]) << 8 | Int(body[6]))
                rest = rest.dropFirst(11 + size + 4)
            }
            return found
        }
    }

    /// The time of a picture on the window's timeline.
    private func time(_ number: Int) -> Int64 { MediaClock.start + Int64(number) * 40 }

    @Test("the first relay gets everything from the start")
    func first() {
        var line = Line()
        line.isTaken = false
        line.pictures(0..<25)
        #expect(line.begin(after: nil) == [-1] + Array(0..<25))
    }

    @Test("the next relay begins with the keyframe at or before the last picture of the one before")
    func next() {
        var line = Line()
        line.pictures(0..<45)
        #expect(line.begin(after: time(44)) == [-1] + Array(40..<45))
        line.pictures(45..<52)
        // The one before had not given what it was sent last.
        #expect(line.begin(after: time(47)) == [-1] + Array(40..<52))
        #expect(line.begin(after: time(50)) == [-1, 50, 51])
        // A relay without a picture is followed by one that gets all that is kept.
        #expect(line.begin(after: nil).first == -1)
    }

    @Test("what is kept begins with the keyframe of the last picture that the relay has given, or is ten seconds old, and is bounded in bytes")
    func bounded() {
        var line = Line()
        line.pictures(0..<200)
        #expect(line.begin(after: nil) == [-1] + Array(0..<200))
        line.window.confirm(time(177))
        line.pictures(200..<201)
        #expect(line.begin(after: nil) == [-1] + Array(170..<201))
        line.pictures(201..<500)
        let kept = line.begin(after: nil)
        #expect(kept.dropFirst().first.map { $0 % 10 == 0 && (230...260).contains($0) } == true && kept.last == 499, "\(kept)")
        var limits = IngestLimits()
        limits.kept = 200_000
        limits.unread = 50_000
        var small = Line(limits)
        small.pictures(0..<9, size: 60_000)
        #expect(small.window.kept <= 300_000)
        // A relay that comes now is missing the keyframe, and waits for the next.
        #expect(small.begin(after: time(8)) == [])
        small.pictures(9..<12, size: 10)
        #expect(small.numbers == [-1, 10, 11])
    }

    @Test("what many small pictures, and headers that change with each, occupy is counted; a header like none is not kept")
    func overhead() {
        var line = Line()
        line.add([0x17, 0] + Array(repeating: 7, count: 100_000))
        #expect(!line.begin(after: nil).isEmpty && line.window.kept < 300_000)
        let before = line.window.kept
        for number in 0..<100 {
            line.add([0x17, 0, 0, 0, 0] + Array(repeating: UInt8(number), count: 1000))
            line.pictures(0..<1, size: 1)
        }
        #expect(line.window.kept - before > 100 * (2 * 1000 + 64))
        // What each of the smallest takes beside its bytes fills the window, too.
        var small = Line.blocked()
        let count = small.fill(size: 1, onlyKeyframes: true)
        #expect(count < 1000 && small.window.unread < 25_000)
        small.take()
        small.pictures(0..<1, size: 1)
        #expect(!small.window.isFull)
    }

    @Test("a relay that does not take holds the publisher up before anything is lost")
    func full() {
        var line = Line.blocked()
        let count = line.fill(size: 1000)
        #expect((45...55).contains(count))
        line.take()
        #expect(line.window.hasRoom && line.numbers == [-1] + Array(0..<count))
    }

    @Test("the timeline goes on where a publisher's clock begins anew")
    func clock() {
        var clock = MediaClock()
        #expect(clock.time(of: .max - 19) == MediaClock.start)
        #expect(clock.time(of: 20) == MediaClock.start + 40)
        #expect(clock.time(of: 10) == MediaClock.start + 30)
        #expect(clock.time(of: 0x8000_0000) > MediaClock.start - 0x8000_0000)
    }
}
