import MPEGTS

@testable import RTMP

/// A random schedule of a publisher: audio and video frames in any order, headers that are late or repeated every
/// second, timestamps that jump and wrap, frames in decoding order with presentation times, and unrelated messages. It
/// knows the capture time of each frame, so that it can check the result.
struct PublisherSchedule {
    /// One message, with the capture time of its frame.
    struct Item {
        var message: Message
        var kind: StreamKind
        /// The capture time in microseconds since the start; `nil` if it is not a frame.
        var captured: Int?
        /// The arrival in microseconds since the start.
        var arrival: Int
        /// The number of jumps before it: of both streams, and of its own stream alone.
        var jumps: Int
        var loneJumps: Int
        /// The expected offset in milliseconds because of the jumps of its own stream.
        var moved: Int
        /// A jump of its own stream alone is not decided yet, or is being undone.
        var isUnsettled = false
        var isKeyframe = false
        var isHeader = false
    }

    private(set) var items: [Item] = []
    /// A description of the schedule for failures.
    private(set) var summary = ""

    /// The largest lag of one stream's frames behind those of the other, from capture to arrival, in microseconds.
    private static let mostSkew = 800_000
    /// Messages that are not part of a stream.
    private(set) var strays = 0
    /// The number of frames that are sent after a frame that is shown later. Their timestamps are presentation times.
    let reorder: Int
    /// The time in microseconds until the reordering is known.
    let settling: Int

    init(seconds: Int, using random: inout some RandomNumberGenerator) {
        let rate = [8000, 22_050, 44_100, 48_000].randomElement(using: &random)!
        let rateIndex = ADTS.sampleRates.firstIndex(of: Int64(rate))!
        let frame = [16_667, 20_000, 33_333, 40_000, 100_000].randomElement(using: &random)!
        let start = [0, 0, 1_000_000, 1 << 24 - 3000, 1 << 32 - 3000].randomElement(using: &random)!
        let wrap = start < 1 << 24 && Bool.random(using: &random) ? 1 << 24 : 1 << 32
        let skew = Int.random(in: -Self.mostSkew...Self.mostSkew, using: &random)
        let first = (video: Self.late(using: &random), audio: Self.late(using: &random))
        // Frames before the first header cannot be used.
        let headers = (video: Self.late(using: &random) / 4, audio: Self.late(using: &random) / 4)
        let paused = Bool.random(using: &random) ? StreamKind.video : .audio
        var pause = Self.window(upTo: 12_000_000, using: &random)
        let stall = Self.window(upTo: 4_000_000, using: &random)
        let order = [0, 0, 0, 1, 2, 3, 4].randomElement(using: &random)!
        // Frames out of order have composition times as often.
        let isComposed = Bool.random(using: &random)
        let reorder = isComposed ? 0 : order
        self.reorder = reorder
        let isPyramid = Bool.random(using: &random)
        let gop = max(1, 1_000_000 / frame)
        let end = max(first.video, first.audio) + seconds * 1_000_000
        settling = reorder == 0 ? 0 : max(1_500_000, 4 * (reorder + 1) * frame)
        // The largest time in microseconds between the arrivals of both streams for the same moment.
        let apart = abs(skew) + max((reorder + 1) * frame, 1024 * 1_000_000 / rate) + 50_000
        let starts = (
            video: Self.first(of: first.video, every: gop * frame, from: headers.video),
            audio: Self.first(of: first.audio, every: 43 * 1024 * 1_000_000 / rate, from: headers.audio)
        )
        // A stream cannot jump before it has begun. The first frames out of order, after a pause, look like a clock
        // that was set back.
        let begun = paused == .video ? starts.video + settling : starts.audio
        // The lag of a stream that begins with a burst is unknown: a pause in that burst looks like a jump.
        let beginning = paused == .video ? starts.video : starts.audio
        if pause.lowerBound <= begun || stall.contains(beginning) && pause.overlaps(stall) {
            pause = pause.upperBound..<pause.upperBound
        }
        let hidden = pause.isEmpty ? pause : pause.lowerBound - apart..<pause.upperBound + apart
        var hasJumpedInPause = false
        var hasGoneAheadInStall = false
        var moved = 0
        let jumps = Self.jumps(until: end, wrap: wrap, using: &random).filter { jump in
            // A stream that begins or returns with times from after a jump, before the other one has jumped, is placed
            // wrongly: nothing shows that the times of the two differ.
            for start in [starts.video, starts.audio] {
                if abs(jump.at - start) <= apart { return false }
                if pause.contains(jump.at), jump.at...pause.upperBound + apart ~= start { return false }
                // All frames of a burst arrive at one time.
                let burst = stall.lowerBound - apart...stall.upperBound + apart
                if !stall.isEmpty, burst.contains(jump.at), burst.contains(start) { return false }
            }
            if !pause.isEmpty, abs(jump.at - pause.upperBound) <= apart { return false }
            // If a clock is set back by the length of a pause, the times continue as if there had been no pause.
            if pause.contains(jump.at), abs(pause.count + jump.by * 1000) <= 600_000 { return false }
            // If the stream returns while the connection stalls, the length of the pause is unknown: the rest may be a
            // jump as well.
            let away = min(pause.lowerBound, stall.lowerBound) - apart..<max(pause.upperBound, stall.upperBound)
            if hidden.overlaps(stall), away.contains(jump.at) { return false }
            // A group of frames that begins earlier by less than two such groups looks like a part of the previous one.
            guard reorder == 0 || jump.by > 0 || -jump.by * 1000 > 2 * (reorder + 1) * frame + 40_000 else {
                return false
            }
            // A jump across the wrap at 24 bits, or beside it, is a jump for one stream and not for the other.
            let before = start + jump.at / 1000 + moved
            if wrap == 1 << 24, [before, before + jump.by].contains(where: { Self.distance($0, wrap) < 8000 }) {
                return false
            }
            // The second of two jumps in a pause may undo the first one, and the pausing stream has seen neither.
            if hidden.contains(jump.at) {
                if hasJumpedInPause { return false }
                hasJumpedInPause = true
            }
            // A step ahead in a burst looks like dropped frames if it is shorter than the stall. A second one may be
            // longer, and is then a jump whose position in the other stream is unknown.
            if stall.contains(jump.at), 0..<stall.count + 1_000_000 ~= jump.by * 1000 {
                if hasGoneAheadInStall { return false }
                hasGoneAheadInStall = true
            }
            moved += jump.by
            return true
        }
        let lone = Self.loneJumps(until: end, start: start, wrap: wrap, hasOrder: reorder > 0, using: &random) { at in
            // After a pause in which the clock was set back, a stream may step ahead by the same amount.
            if hasJumpedInPause { return false }
            let beginning = max(starts.video, starts.audio) + settling + 1_000_000
            let away = apart + 3_000_000
            return at > beginning && jumps.allSatisfy { abs($0.at - at) > away }
                && [pause, stall].allSatisfy { $0.isEmpty || at < $0.lowerBound - away || at > $0.upperBound + away }
        } stamped: { at in
            start + at / 1000 + jumps.filter { $0.at <= at }.reduce(0) { $0 + $1.by }
        }
        summary = "rate \(rate), frame \(frame) µs, start \(start), wrap \(wrap), skew \(skew) µs, first \(first), "
        summary += "headers \(headers), \(paused) pauses \(pause), stall \(stall), jumps \(jumps), "
        summary += "lone jumps \(lone), reorder \(order)"
        summary += "\(isComposed ? " by composition" : "")\(isPyramid ? " as a pyramid" : "")"
        // A decoding time and its composition time, in milliseconds.
        let composition = reorder > 0 ? 0 : [0, 0, 80].randomElement(using: &random)!

        func stamp(_ captured: Int, sent: Int, _ own: [LoneJump]) -> (time: Int, jumps: Int) {
            let passed = jumps.filter { $0.at <= sent }
            let added = passed.reduce(0) { $0 + $1.by } + own.reduce(0) { $0 + $1.by }
            return (start + captured / 1000 + added, passed.count)
        }
        func add(
            _ kind: StreamKind, _ captured: Int, sent: Int? = nil, _ bytes: [UInt8], isFrame: Bool = true,
            isHeader: Bool = false, isKeyframe: Bool = false
        ) {
            let sent = sent ?? captured
            if kind == paused, pause.contains(sent) { return }
            let own = lone.filter { $0.kind == kind && $0.at <= sent }
            let (time, count) = stamp(captured, sent: sent, own)
            let jitter = Int.random(in: 0...15_000, using: &random)
            let lag = (kind == .video) == (skew > 0) ? abs(skew) : 0
            items.append(
                Item(
                    message: Message(kind, ((time % wrap) + wrap) % wrap, bytes), kind: kind,
                    captured: isFrame ? captured : nil,
                    arrival: stall.contains(sent) ? stall.upperBound + lag : sent + lag + jitter, jumps: count,
                    loneJumps: own.count, moved: own.reduce(0) { $0 + $1.moves },
                    // The position of a frame that arrives out of order after such a jump is unknown.
                    isUnsettled: own.last.map {
                        kind == .video && reorder > 0 || $0.isDoubtful && sent - $0.at < 4_500_000
                    } ?? false,
                    isKeyframe: isKeyframe, isHeader: isHeader))
        }
        func addStray(_ kind: StreamKind, _ captured: Int) {
            guard Int.random(in: 0..<40, using: &random) == 0 else { return }
            // A byte of MP3, or the start of a seek.
            add(kind, captured, kind == .audio ? [0x2F] : [0x57, 0], isFrame: false)
            strays += 1
        }

        var width = 640
        for group in stride(from: first.video, to: end, by: gop * frame) {
            if group >= headers.video {
                if Bool.random(using: &random) { width = 640 + 16 * Int.random(in: 0...9, using: &random) }
                let header = Media.avcHeader(Media.avcRecord([Media.sps(width: width)]))
                add(.video, group, header, isFrame: false, isHeader: true)
            }
            let frames = Self.order(of: gop, reorder: order, isPyramid: isPyramid)
            let lag = frames.enumerated().map { $0 - $1.place }.max()!
            for (number, (place, anchor)) in frames.enumerated() {
                // With composition times, a timestamp is a decoding time, and the decoding time is checked.
                let captured = group + (isComposed ? number : place) * frame
                let composition = isComposed && order > 0 ? (place - number + lag) * frame / 1000 : composition
                addStray(.video, captured)
                add(
                    .video, captured, sent: isComposed ? captured : group + anchor * frame,
                    Media.avc(
                        [Media.slice(number, isIDR: place == 0)], isKeyframe: place == 0,
                        composition: composition),
                    isKeyframe: place == 0)
            }
        }
        // The number of channels may change in the middle.
        let change = Bool.random(using: &random) ? Int.random(in: 0..<end, using: &random) : end
        var number = 0
        while first.audio + number * 1024 * 1_000_000 / rate < end {
            let captured = first.audio + number * 1024 * 1_000_000 / rate
            if number % 43 == 0, captured >= headers.audio {
                let config = Media.aacConfig(rateIndex: rateIndex, channels: captured < change ? 2 : 1)
                add(.audio, captured, Media.aacHeader(config), isFrame: false, isHeader: true)
            }
            addStray(.audio, captured)
            add(.audio, captured, Media.aac(number))
            number += 1
        }
        // The connection keeps the order of each stream.
        var newest: [StreamKind: Int] = [:]
        for index in items.indices {
            let kind = items[index].kind
            items[index].arrival = max(items[index].arrival, newest[kind] ?? 0)
            newest[kind] = items[index].arrival
        }
        items = items.enumerated().sorted { ($0.1.arrival, $0.0) < ($1.1.arrival, $1.0) }.map { $0.1 }
    }

    /// - Returns: The distance of a number from the nearest multiple of another.
    private static func distance(_ number: Int, _ period: Int) -> Int {
        let rest = (number % period + period) % period
        return min(rest, period - rest)
    }

    private static func late(using random: inout some RandomNumberGenerator) -> Int {
        [0, 0, 200_000, 1_000_000, 3_000_000, 20_000_000, 60_000_000].randomElement(using: &random)!
            + Int.random(in: 0...50_000, using: &random)
    }

    /// The order in which the frames of a closed group are sent.
    ///
    /// - Returns: Their positions, each with that of the frame that has to be sent before it.
    private static func order(of count: Int, reorder: Int, isPyramid: Bool) -> [(place: Int, anchor: Int)] {
        var order = [(0, 0)]
        var next = 1
        while next < count {
            let anchor = min(next + reorder, count - 1)
            var between = Array(next..<anchor)
            if isPyramid, between.count > 1 { between.insert(between.remove(at: between.count / 2), at: 0) }
            order += ([anchor] + between).map { ($0, anchor) }
            next = anchor + 1
        }
        return order
    }

    /// - Returns: The first regular time at or after a time.
    private static func first(of start: Int, every period: Int, from time: Int) -> Int {
        start + max(0, (time - start + period - 1) / period) * period
    }

    /// - Returns: A range in which frames are missing, in microseconds; often empty.
    private static func window(upTo length: Int, using random: inout some RandomNumberGenerator) -> Range<Int> {
        let start = Int.random(in: 5_000_000...20_000_000, using: &random)
        return start..<start + (Bool.random(using: &random) ? 0 : Int.random(in: 0...length, using: &random))
    }

    /// - Returns: The times of jumps in microseconds, at least two seconds apart, and their sizes in milliseconds.
    private static func jumps(
        until end: Int, wrap: Int, using random: inout some RandomNumberGenerator
    ) -> [(at: Int, by: Int)] {
        var jumps: [(at: Int, by: Int)] = []
        // The first one may come soon.
        var at = Bool.random(using: &random) ? 0 : -1_900_000
        let most = wrap / 2
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            at += Int.random(in: 2_000_000...8_000_000, using: &random)
            let size = [200, 500, 990, 1010, 5000, 30_000, 600_000, 95_000_000, most - 40, most].randomElement(
                using: &random)!
            if at < end { jumps.append((at, Bool.random(using: &random) ? size : -size)) }
        }
        return jumps
    }

    /// A jump of the timestamps of one stream.
    private struct LoneJump {
        var kind: StreamKind
        /// In microseconds.
        var at: Int
        /// The size in milliseconds, and the part of it that the result has to show: a step ahead by less than a second
        /// is a gap; a step back by at most half a second, and one that undoes such a gap, are accepted. All others are
        /// errors, and the stream continues without them.
        var by: Int
        var moves: Int
        /// Whether it is accepted is known only after it.
        var isDoubtful: Bool { moves < 0 }
    }

    /// - Parameters:
    ///   - isClear: Whether nothing else happens at a time.
    ///   - stamped: The timestamp of both streams at a time, without wraps.
    /// - Returns: Jumps of one stream alone, at least six seconds apart.
    private static func loneJumps(
        until end: Int, start: Int, wrap: Int, hasOrder: Bool, using random: inout some RandomNumberGenerator,
        isClear: (Int) -> Bool, stamped: (Int) -> Int
    ) -> [LoneJump] {
        guard Bool.random(using: &random) else { return [] }
        var jumps: [LoneJump] = []
        var at = 0
        while at < end - 2_000_000 {
            at += Int.random(in: 6_000_000...12_000_000, using: &random)
            guard isClear(at) else { continue }
            let kind = Bool.random(using: &random) ? StreamKind.video : .audio
            let own = jumps.filter { $0.kind == kind }
            let before = stamped(at) + own.reduce(0) { $0 + $1.by }
            var by = [
                -200, -500, -750, -990, -1500, -5000, -9500, -30_000, -600_000, 200, 500, 990, 5000, 30_000, 600_000,
            ].randomElement(using: &random)!
            // One in three begins again at zero, or undoes the previous one.
            switch Int.random(in: 0..<6, using: &random) {
            case 0: by = -(before % wrap)
            case 1: by = own.last.map { -$0.by } ?? by
            default: break
            }
            let lead = own.last.map { at - $0.at < 9_000_000 && $0.by > 500 && $0.by <= 990 ? $0.by : 0 } ?? 0
            let returns = lead != 0 && by == -lead
            let moves = (-500...990).contains(by) || returns ? by : 0
            let former = own.last.map { at - $0.at < 12_000_000 && $0.by > 500 ? $0.by : 0 } ?? 0
            let isClose = former != 0 && !returns && by < -500 && abs(by + former) < 400
            // Sizes in between depend on a frame, or on the delay of the connection; and frames out of order look like
            // a short step back.
            guard !(991..<3000).contains(by), !(-1499 ..< -990).contains(by),
                abs(by) < 1 << 31, !isClose, !(hasOrder && -1500..<0 ~= by)
            else { continue }
            // A stream does not return from two seconds ahead alone.
            guard moves <= 0 || own.reduce(moves, { $0 + $1.moves }) < 1000 else { continue }
            // If the times of both are nearly the same again, the publisher may intend that.
            let sign = kind == .video ? 1 : -1
            let lost = jumps.reduce(0) { $0 + ($1.kind == .video ? $1.by - $1.moves : $1.moves - $1.by) }
            guard lost + sign * (by - moves) == 0 || abs(lost + sign * (by - moves)) > 3000 else { continue }
            guard
                [before, before + by].allSatisfy({ wrap != 1 << 24 || Self.distance($0, wrap) > 8000 || $0 + by == 0 })
            else { continue }
            jumps.append(LoneJump(kind: kind, at: at, by: by, moves: moves))
        }
        return jumps
    }
}
