import Foundation
import TestSupport
import Testing

@testable import MPEGTS

/// A feed with known bytes and units, filled without a splicer.
final class SyntheticFeed {
    struct Unit {
        var start: Int
        var count: Int
        var isKeyframe: Bool
        var era: Int
    }

    let feed: Feed
    private(set) var bytes: [UInt8] = []
    private(set) var units: [Unit] = []
    private var dts: Int64 = 0

    /// Bytes that differ at every position of the feed, as long as a unit.
    private static let pattern: [UInt8] = {
        var random = SeededRandom(seed: 1)
        return (0..<1 << 20).map { _ in UInt8.random(in: 0...255, using: &random) }
    }()

    init(_ limits: Feed.Limits) { feed = Feed(limits: limits) }

    func append(packets: Int, isKeyframe: Bool, step: Int64 = 3000) {
        let count = packets * 188
        let room = feed.reserve(count)
        let offset = bytes.count % 65_537
        Self.pattern.withUnsafeBufferPointer { room.update(from: $0.baseAddress! + offset, count: count) }
        units.append(Unit(start: bytes.count, count: count, isKeyframe: isKeyframe, era: feed.era))
        bytes += UnsafeBufferPointer(start: room, count: count)
        dts += step
        feed.commit(
            count, pts: dts, dts: dts, isVideo: true,
            entry: isKeyframe ? Continuity(association: 1, map: 2, video: 3, audio: 4) : nil)
    }

    func isUnitStart(_ place: Int, keyframe: Bool = false) -> Bool {
        units.last { $0.start <= place }.map { $0.start == place && (!keyframe || $0.isKeyframe) } ?? false
    }

    /// Units of random sizes with a keyframe first.
    func appendGOP(of units: Int, packets: ClosedRange<Int>, using random: inout SeededRandom) {
        for index in 0..<units { append(packets: Int.random(in: packets, using: &random), isKeyframe: index == 0) }
    }
}

/// Reads a synthetic feed and checks what a reader may see: the feed's bytes, without whole units where it jumped. Each
/// jump is announced and counted, and leads to the newest keyframe.
struct CheckedReader {
    let reader: FeedReader
    private let source: SyntheticFeed
    private var place: Int?
    private var skips = 0
    private var unannounced = 0
    private(set) var delivered = 0
    private(set) var complaints: [String] = []

    init(_ source: SyntheticFeed) {
        self.source = source
        reader = source.feed.makeReader()
        place = reader.firstEntry?.position
    }

    /// Reads up to `count` bytes; returns `false` if there are none now.
    mutating func read(_ count: Int) -> Bool {
        guard let bytes = reader.next() else {
            // A jump may have begun, and wait for its keyframe.
            noteSkips()
            return false
        }
        if place == nil { place = reader.firstEntry?.position }
        noteSkips()
        let taken = min(count, bytes.count)
        if unannounced > 0 {
            let at = 752 - unannounced
            for index in 0..<taken where (at + index) % 188 == 0 && bytes[index] != 0x47 {
                complaints.append("announcement")
            }
            unannounced -= taken
            if unannounced == 0 { land() }
        } else if let start = place {
            let isSame = source.bytes.withUnsafeBytes { all in
                start + taken <= all.count && memcmp(bytes.baseAddress!, all.baseAddress! + start, taken) == 0
            }
            if !isSame { complaints.append("other bytes at \(start)") }
            place = start + taken
        }
        reader.consume(taken)
        delivered += taken
        return true
    }

    private mutating func noteSkips() {
        guard reader.skips > skips else { return }
        if reader.skips != skips + 1 { complaints.append("\(reader.skips - skips) skips at once") }
        skips = reader.skips
        if let place, !source.isUnitStart(place), place != source.bytes.count {
            complaints.append("left a unit at \(place)")
        }
        unannounced = 752
    }

    /// A jump leads to the keyframe that was the newest when it began. The bytes after the jump identify it.
    private mutating func land() {
        let from = place ?? 0
        place = reader.position
        guard let to = place, to > from, source.isUnitStart(to, keyframe: true) else {
            complaints.append("jumped from \(from) to \(String(describing: place))")
            return
        }
    }
}
