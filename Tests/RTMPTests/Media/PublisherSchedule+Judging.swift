import MPEGTS

@testable import RTMP

/// Checks the result of a schedule.
extension PublisherSchedule {
    /// The resulting frames of both streams, each with its presentation time minus its composition time.
    private struct Placed {
        var video: [(item: Item, pts: Int64)] = []
        var audio: [(item: Item, pts: Int64)] = []

        mutating func add(_ item: Item, at pts: Int64) {
            if item.kind == .video { video.append((item, pts)) } else { audio.append((item, pts)) }
        }
    }

    /// Plays the schedule into a reader.
    ///
    /// - Returns: The faults of the result, as text.
    func complaints() -> [String] {
        var reading = Reading()
        var complaints: [String] = []
        var newest: [StreamKind: Int64] = [:]
        var placed = Placed()
        var isReady: Set<StreamKind> = []
        var hasHeader: Set<StreamKind> = []
        for item in items {
            reading.now = Int64(item.arrival) * 9 / 100
            if item.isHeader { hasHeader.insert(item.kind) }
            if hasHeader.contains(item.kind), item.kind == .audio || item.isKeyframe { isReady.insert(item.kind) }
            guard let found = reading.unit(item.message) else {
                if item.captured != nil, isReady.contains(item.kind) {
                    complaints.append("\(item.kind) of \(item.captured!) µs is no unit")
                }
                continue
            }
            guard let captured = item.captured else {
                complaints.append("something else is a unit")
                continue
            }
            let dts = Ticks.extend(found.unit.dts, near: newest[item.kind] ?? found.unit.dts)
            if let last = newest[item.kind], dts <= last {
                complaints.append("\(item.kind) goes back by \(last - dts) ticks at \(captured) µs")
            }
            newest[item.kind] = dts
            let pts = Ticks.extend(found.unit.pts, near: dts)
            if pts < dts { complaints.append("a frame is shown before it is decoded") }
            placed.add(item, at: pts - composition(item))
        }
        let faults = MediaFault.allCases.filter { $0 != .missingHeader && $0 != .missingKeyframe }
            .map { reading.reader.faults[$0] }.reduce(0, +)
        if faults > strays { complaints.append("\(faults) faults, but \(strays) messages do not belong there") }
        return complaints + judge(placed)
    }

    /// Plays the schedule into a channel's feed.
    ///
    /// - Returns: The faults of the feed, as text.
    func feedComplaints() -> [String] {
        var line = Line()
        var complaints: [String] = []
        var accepted: [StreamKind: [Item]] = [:]
        var units: [StreamKind: [AccessUnit]] = [:]
        var parser = UnitParser()
        var reader: FeedReader?
        for item in items {
            guard let outcome = line.take(item.message, at: Int64(item.arrival) * 9 / 100)?.outcome else { continue }
            // The first video unit is a keyframe.
            if item.kind == .video, accepted[.video] == nil, outcome != .joined {
                complaints.append("the first keyframe, of \(item.captured ?? 0) µs, is not on air")
            }
            if outcome != .dropped {
                accepted[item.kind, default: []].append(item)
            } else if item.kind == .video {
                complaints.append("video of \(item.captured ?? 0) µs is dropped")
            }
            guard accepted[.video] != nil else { continue }
            if reader == nil { reader = line.feed.makeReader(notAfter: .min) }
            while let bytes = reader?.next() {
                let count = parser.append(bytes)
                reader?.consume(count)
                while let event = parser.next() {
                    guard case .unit(let unit) = event else { continue }
                    let packets = [UInt8](unsafeUninitializedCapacity: unit.byteCount) { buffer, count in
                        parser.copyUnit(to: buffer.baseAddress!)
                        count = unit.byteCount
                    }
                    // Silence has another size than the publisher's frames.
                    if unit.kind == .audio, Packets.payload(packets).count != Media.aac().count + 5 { continue }
                    units[unit.kind, default: []].append(unit)
                }
            }
        }
        var placed = Placed()
        for kind in [StreamKind.video, .audio] {
            let (items, units) = (accepted[kind] ?? [], units[kind] ?? [])
            // A unit is complete once another one has begun.
            if items.count - units.count != (items.isEmpty ? 0 : 1), items.count != units.count {
                complaints.append("\(items.count) of \(kind) were accepted, \(units.count) are in the feed")
            }
            var newest = Int64.min
            for (item, unit) in zip(items, units) {
                let dts = newest == .min ? unit.dts : Ticks.extend(unit.dts, near: newest)
                if dts <= newest { complaints.append("\(kind) goes back at \(item.captured ?? 0) µs") }
                newest = dts
                placed.add(item, at: Ticks.extend(unit.pts, near: dts) - composition(item))
            }
        }
        return complaints + judge(placed, isInFeed: true)
    }

    private func judge(_ placed: Placed, isInFeed: Bool = false) -> [String] {
        let offsets = offsets(placed.video, placed.audio)
        // For a splicer, frames after such a long pause begin another timeline.
        let gaps = zip(placed.video, placed.video.dropFirst()).map { $1.item.captured! - $0.item.captured! }
        guard !isInFeed || gaps.max() ?? 0 < 9_000_000 else { return offsets }
        // Audio frames are placed on a grid.
        return offsets + steps(placed.video.dropFirst(unsettled(placed.video)), within: 450)
            + steps(placed.audio[...], within: 3600)
    }

    /// Checks that the distance between two frames is the one that the publisher states, whatever the other stream
    /// does.
    private func steps(_ frames: ArraySlice<(item: Item, pts: Int64)>, within tolerance: Int64) -> [String] {
        var complaints: [String] = []
        for (former, next) in zip(frames, frames.dropFirst()) {
            guard former.item.jumps == next.item.jumps, former.item.loneJumps == next.item.loneJumps,
                !next.item.isUnsettled
            else { continue }
            let stated = Int64(next.item.captured! - former.item.captured!) * 9 / 100
            let error = next.pts - former.pts - stated
            if abs(error) > tolerance {
                complaints.append(
                    "at \(next.item.captured!) µs, a step of \(next.item.kind) is off by \(error / 90) ms")
            }
        }
        return complaints
    }

    /// The number of frames until the depth of the reordering is known: some groups in a row.
    private func unsettled(_ video: [(item: Item, pts: Int64)]) -> Int {
        guard settling > 0, var start = video.first?.item.captured else { return 0 }
        for (index, next) in video.enumerated().dropFirst() {
            let captured = next.item.captured!
            if captured - video[index - 1].item.captured! > 600_000 { start = captured }
            if captured - start > settling { return index }
        }
        return video.count
    }

    private func composition(_ item: Item) -> Int64 {
        item.kind == .video
            ? item.message.bytes[2..<5].reduce(0) { $0 << 8 | Int64($1) } * MediaTimeline.tick : 0
    }

    /// Checks that audio and video captured within half a second of each other keep their distance, within 40 ms.
    private func offsets(_ video: [(item: Item, pts: Int64)], _ audio: [(item: Item, pts: Int64)]) -> [String] {
        var complaints: [String] = []
        var next = 0
        for (item, pts) in video.dropFirst(unsettled(video)) {
            while next + 1 < audio.count, audio[next].item.captured! < item.captured! { next += 1 }
            guard next < audio.count, audio[next].item.jumps == item.jumps else { continue }
            guard abs(audio[next].item.captured! - item.captured!) < 500_000 else { continue }
            guard !audio[next].item.isUnsettled, !item.isUnsettled else { continue }
            let moved = Int64(audio[next].item.moved - item.moved) * MediaTimeline.tick
            let stated = Int64(audio[next].item.captured! - item.captured!) * 9 / 100 + moved
            let error = audio[next].pts - Ticks.extend(pts, near: audio[next].pts) - stated
            if abs(error) > 3600 {
                complaints.append(
                    "at \(item.captured!) µs, behind jump \(item.jumps), audio is off by \(error / 90) ms")
            }
        }
        return complaints
    }
}
