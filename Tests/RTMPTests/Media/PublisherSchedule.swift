import TransportStream

@testable import RTMP

/// What a publisher might send, made by chance: frames of audio and video in any order, headers late or again every
/// second, timestamps that jump and wrap. It knows when each frame was captured, so that it can judge what became of
/// it.
struct PublisherSchedule {
    /// One message, with the capture of its frame.
    struct Item {
        var message: Message
        var kind: StreamKind
        /// Microseconds since the start; `nil` for a header.
        var captured: Int?
        /// When it arrives, in microseconds since the start.
        var arrival: Int
        /// Jumps of the timestamps before it.
        var jumps: Int
        var isKeyframe = false
    }

    private(set) var items: [Item] = []
    /// How it came about, for a complaint.
    private(set) var summary = ""

    /// Microseconds from capture to arrival that the frames of one stream may lag behind those of the other.
    private static let mostSkew = 300_000

    init(seconds: Int, using random: inout some RandomNumberGenerator) {
        let rate = [8000, 22_050, 44_100, 48_000].randomElement(using: &random)!
        let rateIndex = ADTS.sampleRates.firstIndex(of: Int64(rate))!
        let frame = [16_667, 20_000, 33_333, 40_000, 100_000].randomElement(using: &random)!
        let start = [0, 0, 1_000_000, 1 << 24 - 3000, 1 << 32 - 3000].randomElement(using: &random)!
        let wrap = start < 1 << 24 && Bool.random(using: &random) ? 1 << 24 : 1 << 32
        let skew = Int.random(in: -Self.mostSkew...Self.mostSkew, using: &random)
        let first = (video: Self.late(using: &random), audio: Self.late(using: &random))
        // Frames before the first header can be of no use.
        let headers = (video: Self.late(using: &random) / 4, audio: Self.late(using: &random) / 4)
        let paused = Bool.random(using: &random) ? StreamKind.video : .audio
        let pause = Self.window(upTo: 12_000_000, using: &random)
        let stall = Self.window(upTo: 4_000_000, using: &random)
        // A stream that begins, or a line that moves again, while the other stream jumps cannot be told from a jump.
        let gop = max(1, 1_000_000 / frame)
        let starts = [
            Self.first(of: first.video, every: gop * frame, from: headers.video),
            Self.first(of: first.audio, every: 43 * 1024 * 1_000_000 / rate, from: headers.audio),
            pause.lowerBound, pause.upperBound, stall.lowerBound, stall.upperBound,
        ]
        let jumps = Self.jumps(until: seconds * 1_000_000, wrap: wrap, using: &random).filter { jump in
            starts.allSatisfy { abs(jump.at - $0) > 1_500_000 } && !stall.contains(jump.at)
        }
        summary = "rate \(rate), frame \(frame) µs, start \(start), wrap \(wrap), skew \(skew) µs, first \(first), "
        summary += "headers \(headers), \(paused) pauses \(pause), stall \(stall), jumps \(jumps)"
        // A decoding time and what is added to it, in milliseconds.
        let composition = [0, 0, 80].randomElement(using: &random)!
        let end = seconds * 1_000_000

        func stamp(_ captured: Int) -> (time: Int, jumps: Int) {
            let passed = jumps.filter { $0.at <= captured }
            return (start + captured / 1000 + passed.reduce(0) { $0 + $1.by }, passed.count)
        }
        func add(
            _ kind: StreamKind, _ captured: Int, _ bytes: [UInt8], isHeader: Bool = false, isKeyframe: Bool = false
        ) {
            if kind == paused, pause.contains(captured) { return }
            let (time, count) = stamp(captured)
            let jitter = Int.random(in: 0...15_000, using: &random)
            let lag = (kind == .video) == (skew > 0) ? abs(skew) : 0
            items.append(
                Item(
                    message: Message(kind, ((time % wrap) + wrap) % wrap, bytes), kind: kind,
                    captured: isHeader ? nil : captured,
                    arrival: stall.contains(captured) ? stall.upperBound + lag : captured + lag + jitter, jumps: count,
                    isKeyframe: isKeyframe))
        }

        var width = 640
        for (number, captured) in stride(from: first.video, to: end, by: frame).enumerated() {
            if number % gop == 0, captured >= headers.video {
                if Bool.random(using: &random) { width = 640 + 16 * Int.random(in: 0...9, using: &random) }
                add(.video, captured, Media.avcHeader(Media.avcRecord([Media.sps(width: width)])), isHeader: true)
            }
            let isKey = number % gop == 0
            add(
                .video, captured,
                Media.avc([Media.slice(number, isIDR: isKey)], isKeyframe: isKey, composition: composition),
                isKeyframe: isKey)
        }
        let header = Media.aacHeader(Media.aacConfig(rateIndex: rateIndex))
        var number = 0
        while first.audio + number * 1024 * 1_000_000 / rate < end {
            let captured = first.audio + number * 1024 * 1_000_000 / rate
            if number % 43 == 0, captured >= headers.audio { add(.audio, captured, header, isHeader: true) }
            add(.audio, captured, Media.aac(number))
            number += 1
        }
        // The line keeps the order in which each stream was sent.
        var newest: [StreamKind: Int] = [:]
        for index in items.indices {
            let kind = items[index].kind
            items[index].arrival = max(items[index].arrival, newest[kind] ?? 0)
            newest[kind] = items[index].arrival
        }
        items = items.enumerated().sorted { ($0.1.arrival, $0.0) < ($1.1.arrival, $1.0) }.map { $0.1 }
    }

    private static func late(using random: inout some RandomNumberGenerator) -> Int {
        [0, 0, 200_000, 1_000_000, 3_000_000, 20_000_000].randomElement(using: &random)!
            + Int.random(in: 0...50_000, using: &random)
    }

    /// - Returns: The first of regular moments at or after a time.
    private static func first(of start: Int, every period: Int, from time: Int) -> Int {
        start + max(0, (time - start + period - 1) / period) * period
    }

    /// - Returns: A while in which something is missing, in microseconds; often none.
    private static func window(upTo length: Int, using random: inout some RandomNumberGenerator) -> Range<Int> {
        let start = Int.random(in: 5_000_000...20_000_000, using: &random)
        return start..<start + (Bool.random(using: &random) ? 0 : Int.random(in: 0...length, using: &random))
    }

    /// - Returns: When the timestamps jump, in microseconds, and by how many milliseconds; two seconds or more apart.
    private static func jumps(
        until end: Int, wrap: Int, using random: inout some RandomNumberGenerator
    ) -> [(at: Int, by: Int)] {
        var jumps: [(at: Int, by: Int)] = []
        var at = 0
        let most = wrap / 2
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            at += Int.random(in: 2_000_000...8_000_000, using: &random)
            let size = [200, 500, 990, 1010, 5000, 30_000, 600_000, 95_000_000, most - 40, most].randomElement(
                using: &random)!
            if at < end { jumps.append((at, Bool.random(using: &random) ? size : -size)) }
        }
        return jumps
    }

    // MARK: Judging

    /// Plays the schedule into a reader.
    ///
    /// - Returns: What is wrong with what came out, in words.
    func complaints() -> [String] {
        var reading = Reading()
        var complaints: [String] = []
        var newest: [StreamKind: Int64] = [:]
        var placed: [StreamKind: [(item: Item, pts: Int64)]] = [:]
        var isReady: Set<StreamKind> = []
        var hasHeader: Set<StreamKind> = []
        for item in items {
            reading.now = Int64(item.arrival) * 9 / 100
            if item.captured == nil { hasHeader.insert(item.kind) }
            if hasHeader.contains(item.kind), item.kind == .audio || item.isKeyframe { isReady.insert(item.kind) }
            guard let found = reading.unit(item.message) else {
                if item.captured != nil, isReady.contains(item.kind) {
                    complaints.append("\(item.kind) of \(item.captured!) µs is no unit")
                }
                continue
            }
            let dts = Ticks.extend(found.unit.dts, near: newest[item.kind] ?? found.unit.dts)
            if let last = newest[item.kind], dts <= last {
                complaints.append("\(item.kind) goes back by \(last - dts) ticks at \(item.captured!) µs")
            }
            newest[item.kind] = dts
            let pts = Ticks.extend(found.unit.pts, near: dts)
            if pts < dts { complaints.append("a frame is shown before it is decoded") }
            placed[item.kind, default: []].append(
                (item, pts - (item.kind == .video ? Int64(composition(item)) * 90 : 0)))
        }
        for fault in MediaFault.allCases where fault != .missingHeader && fault != .missingKeyframe {
            if reading.reader.faults[fault] > 0 { complaints.append("\(fault)") }
        }
        return complaints + offsets(placed[.video] ?? [], placed[.audio] ?? [])
    }

    private func composition(_ item: Item) -> Int { Int(item.message.bytes[4]) }

    /// The distance between audio and video that were captured within half a second is what it was then, within 40 ms.
    private func offsets(_ video: [(item: Item, pts: Int64)], _ audio: [(item: Item, pts: Int64)]) -> [String] {
        var complaints: [String] = []
        var next = 0
        for (item, pts) in video {
            while next + 1 < audio.count, audio[next].item.captured! < item.captured! { next += 1 }
            guard next < audio.count, audio[next].item.jumps == item.jumps else { continue }
            guard abs(audio[next].item.captured! - item.captured!) < 500_000 else { continue }
            let stated = Int64(audio[next].item.captured! - item.captured!) * 9 / 100
            let error = audio[next].pts - Ticks.extend(pts, near: audio[next].pts) - stated
            if abs(error) > 3600 {
                complaints.append(
                    "at \(item.captured!) µs, behind jump \(item.jumps), audio is off by \(error / 90) ms")
            }
        }
        return complaints
    }
}
