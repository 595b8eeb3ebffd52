import MPEGTS

@testable import RTMP

/// What a publisher might send, made by chance: frames of audio and video in any order, headers late or again every
/// second, timestamps that jump and wrap, pictures in the order of decoding that say when they are shown, and messages
/// that do not belong there. It knows when each frame was captured, so that it can judge what became of it.
struct PublisherSchedule {
    /// One message, with the capture of its frame.
    struct Item {
        var message: Message
        var kind: StreamKind
        /// Microseconds since the start; `nil` for what is no frame.
        var captured: Int?
        /// When it arrives, in microseconds since the start.
        var arrival: Int
        /// Jumps of the timestamps of both streams before it, and of its own stream alone.
        var jumps: Int
        var loneJumps: Int
        /// Milliseconds by which the jumps of its own stream are to have moved it.
        var moved: Int
        /// A jump of its own stream alone is being judged, or made up for.
        var isUnsettled = false
        var isKeyframe = false
        var isHeader = false
    }

    private(set) var items: [Item] = []
    /// How it came about, for a complaint.
    private(set) var summary = ""

    /// Microseconds from capture to arrival that the frames of one stream may lag behind those of the other.
    private static let mostSkew = 800_000
    /// Messages that belong to no stream.
    private(set) var strays = 0
    /// Pictures that are sent behind one that is shown after them; their timestamps are times of presentation then.
    let reorder: Int
    /// Microseconds until it is known that there are such.
    let settling: Int

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
        var pause = Self.window(upTo: 12_000_000, using: &random)
        let stall = Self.window(upTo: 4_000_000, using: &random)
        let order = [0, 0, 0, 1, 2, 3, 4].randomElement(using: &random)!
        // Pictures out of order are told by composition times as often.
        let isComposed = Bool.random(using: &random)
        let reorder = isComposed ? 0 : order
        self.reorder = reorder
        let isPyramid = Bool.random(using: &random)
        let gop = max(1, 1_000_000 / frame)
        let end = max(first.video, first.audio) + seconds * 1_000_000
        settling = reorder == 0 ? 0 : max(1_500_000, 4 * (reorder + 1) * frame)
        // Microseconds from when a frame of one stream comes to when the same moment comes of the other, at the most.
        let apart = abs(skew) + max((reorder + 1) * frame, 1024 * 1_000_000 / rate) + 50_000
        let starts = (
            video: Self.first(of: first.video, every: gop * frame, from: headers.video),
            audio: Self.first(of: first.audio, every: 43 * 1024 * 1_000_000 / rate, from: headers.audio)
        )
        // What a stream does before it has begun is nothing; and pictures out of order that come behind a pause, when
        // there never were any, look like a clock that was set back.
        let begun = paused == .video ? starts.video + settling : starts.audio
        // The lateness of a stream that begins with a burst is unknown: a pause in that burst looks like a jump.
        let beginning = paused == .video ? starts.video : starts.audio
        if pause.lowerBound <= begun || stall.contains(beginning) && pause.overlaps(stall) {
            pause = pause.upperBound..<pause.upperBound
        }
        let hidden = pause.isEmpty ? pause : pause.lowerBound - apart..<pause.upperBound + apart
        var hasJumpedInPause = false
        var hasGoneAheadInStall = false
        var moved = 0
        let jumps = Self.jumps(until: end, wrap: wrap, using: &random).filter { jump in
            // A stream that begins, or comes back, with times from behind a jump which the other one has yet to show is
            // in the wrong place: nothing says that the times of the two are not the same.
            for start in [starts.video, starts.audio] {
                if abs(jump.at - start) <= apart { return false }
                if pause.contains(jump.at), jump.at...pause.upperBound + apart ~= start { return false }
                // What comes in a burst comes at one time.
                let burst = stall.lowerBound - apart...stall.upperBound + apart
                if !stall.isEmpty, burst.contains(jump.at), burst.contains(start) { return false }
            }
            if !pause.isEmpty, abs(jump.at - pause.upperBound) <= apart { return false }
            // A clock that is set back by as much as a stream has paused goes on as if there had been no pause.
            if pause.contains(jump.at), abs(pause.count + jump.by * 1000) <= 600_000 { return false }
            // The length of a pause is unknown where the stream comes back while the line stands still: the rest may
            // be a jump as well.
            let away = min(pause.lowerBound, stall.lowerBound) - apart..<max(pause.upperBound, stall.upperBound)
            if hidden.overlaps(stall), away.contains(jump.at) { return false }
            // A group of pictures that begins earlier by less than two such groups looks as if it belonged into the one
            // before.
            guard reorder == 0 || jump.by > 0 || -jump.by * 1000 > 2 * (reorder + 1) * frame + 40_000 else {
                return false
            }
            // A jump over the place where 24 bits are full, or beside it, is one for one stream and none for the other.
            let before = start + jump.at / 1000 + moved
            if wrap == 1 << 24, [before, before + jump.by].contains(where: { Self.distance($0, wrap) < 8000 }) {
                return false
            }
            // Of two jumps in a pause the second may take back the first, and the stream that pauses has seen neither.
            if hidden.contains(jump.at) {
                if hasJumpedInPause { return false }
                hasJumpedInPause = true
            }
            // A step ahead in a burst looks like dropped frames while it is less than the line owes. A second one may
            // be more than that, and is then a jump whose place in the other stream is unknown.
            if stall.contains(jump.at), 0..<stall.count + 1_000_000 ~= jump.by * 1000 {
                if hasGoneAheadInStall { return false }
                hasGoneAheadInStall = true
            }
            moved += jump.by
            return true
        }
        let lone = Self.loneJumps(until: end, start: start, wrap: wrap, hasOrder: reorder > 0, using: &random) { at in
            // Behind a pause in which the clock was set back, a stream may go ahead by as much.
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
        // A decoding time and what is added to it, in milliseconds.
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
                    // The place of a picture that comes out of order behind such a jump is unknown.
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
            let pictures = Self.order(of: gop, reorder: order, isPyramid: isPyramid)
            let lag = pictures.enumerated().map { $0 - $1.place }.max()!
            for (number, (place, anchor)) in pictures.enumerated() {
                // With composition times, a timestamp is that of decoding, and decoding is what is judged.
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
        // The channels may change in mid-schedule.
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
        // The line keeps the order in which each stream was sent.
        var newest: [StreamKind: Int] = [:]
        for index in items.indices {
            let kind = items[index].kind
            items[index].arrival = max(items[index].arrival, newest[kind] ?? 0)
            newest[kind] = items[index].arrival
        }
        items = items.enumerated().sorted { ($0.1.arrival, $0.0) < ($1.1.arrival, $1.0) }.map { $0.1 }
    }

    /// - Returns: How far a number is from the nearest multiple of another.
    private static func distance(_ number: Int, _ period: Int) -> Int {
        let rest = (number % period + period) % period
        return min(rest, period - rest)
    }

    private static func late(using random: inout some RandomNumberGenerator) -> Int {
        [0, 0, 200_000, 1_000_000, 3_000_000, 20_000_000, 60_000_000].randomElement(using: &random)!
            + Int.random(in: 0...50_000, using: &random)
    }

    /// The order in which the pictures of a closed group are sent.
    ///
    /// - Returns: Their places, each with that of the picture without which it cannot be sent.
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
        // One may come soon.
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
        /// In milliseconds, and how many of them are to be seen: a step ahead by less than a second is a gap, one back
        /// by half a second at the most and one that takes back such a gap are believed. All others are nothing that
        /// was captured, and the stream goes on.
        var by: Int
        var moves: Int
        /// Whether it is believed turns out behind it.
        var isDoubtful: Bool { moves < 0 }
    }

    /// - Parameters:
    ///   - isClear: Nothing else goes on at a time.
    ///   - stamped: The timestamp without wrap of both streams at a time.
    /// - Returns: Jumps of one stream alone, six seconds or more apart.
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
            // One in three begins again at nothing, or takes back what the one before did.
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
            // What lies between is one or the other by a frame, or by how late the line is; and pictures out of order
            // look like a short step back.
            guard !(991..<3000).contains(by), !(-1499 ..< -990).contains(by),
                abs(by) < 1 << 31, !isClose, !(hasOrder && -1500..<0 ~= by)
            else { continue }
            // Two seconds ahead alone are more than a stream comes back from.
            guard moves <= 0 || own.reduce(moves, { $0 + $1.moves }) < 1000 else { continue }
            // Where the times of both are nearly the same again, the publisher may mean that.
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
