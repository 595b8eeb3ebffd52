import TestSupport
import Testing

@testable import MPEGTS

/// One unit that a parser found, with the bytes of its packets.
struct FoundUnit {
    var unit: AccessUnit
    var packets: [UInt8]

    /// The elementary stream's bytes.
    var payload: [UInt8] { ReferenceUnit.all(packets).first?.payload ?? [] }
    var content: ReferenceUnit.Content { .init(kind: unit.kind, payload: payload) }
}

extension UnitParser {
    /// Parses pieces of bytes, and calls `found` for every unit.
    mutating func read(
        _ pieces: [[UInt8]], program: (Program) -> Void = { _ in }, found: (AccessUnit, borrowing UnitParser) -> Void
    ) {
        for piece in pieces {
            var given = 0
            while given < piece.count {
                given += piece.withUnsafeBytes { append(UnsafeRawBufferPointer(rebasing: $0[given...])) }
                while let event = next() {
                    switch event {
                    case .program(let new): program(new)
                    case .unit(let unit): found(unit, self)
                    }
                }
            }
        }
    }

    /// All units in the bytes.
    mutating func units(_ pieces: [[UInt8]]) -> [FoundUnit] {
        var all: [FoundUnit] = []
        read(pieces) { unit, parser in
            let packets = [UInt8](unsafeUninitializedCapacity: unit.byteCount) {
                parser.copyUnit(to: $0.baseAddress!)
                $1 = unit.byteCount
            }
            all.append(FoundUnit(unit: unit, packets: packets))
        }
        return all
    }
}

/// A feed with its splicer and a reader that takes everything at once.
final class Line {
    let feed: Feed
    var splicer: Splicer
    let reader: FeedReader
    private(set) var output: [UInt8] = []
    /// The time in ticks; each video frame follows a thirtieth of a second after the previous one.
    var now: Int64 = 0

    init(fillsSilence: Bool = false, start: Int64 = 10 * Ticks.perSecond, limits: Feed.Limits = Feed.Limits()) {
        feed = Feed(limits: limits)
        splicer = Splicer(feed: feed, start: start, fillsSilence: fillsSilence)
        reader = feed.makeReader()
    }

    /// Writes a writer's bytes into the feed, and returns the outcome of each unit.
    @discardableResult
    func write(_ pieces: [[UInt8]], as writer: inout Splicer.Writer) -> [(AccessUnit, Splicer.Outcome)] {
        var parser = UnitParser()
        var outcomes: [(AccessUnit, Splicer.Outcome)] = []
        parser.read(pieces) { unit, parser in
            if unit.kind == .video { now += 3000 }
            outcomes.append((unit, splicer.accept(unit, of: &writer, from: parser, now: now)))
            drain()
        }
        return outcomes
    }

    @discardableResult
    func write(_ bytes: [UInt8], _ join: Splicer.Join) -> [(AccessUnit, Splicer.Outcome)] {
        var writer = Splicer.Writer(join)
        return write([bytes], as: &writer)
    }

    func drain() { output += reader.takeAll() }
}

extension FeedReader {
    func takeAll() -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = next() {
            all += bytes
            consume(bytes.count)
        }
        return all
    }
}
