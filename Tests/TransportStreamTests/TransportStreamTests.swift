import Testing
@testable import TransportStream
import Foundation

@Test func smoke() throws {
    let data = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "/tmp/a.ts")))
    var parser = UnitParser()
    let feed = Feed()
    var splicer = Splicer(feed: feed, fillsSilence: true)
    var writer = Splicer.Writer(.following)
    var consumed = 0
    let reader = feed.makeReader()
    var out: [UInt8] = []
    data.withUnsafeBytes { bytes in
        while consumed < bytes.count {
            consumed += parser.append(UnsafeRawBufferPointer(rebasing: bytes[consumed..<min(consumed + 1000, bytes.count)]))
            while let event = parser.next() {
                switch event {
                case .program(let p): print(p)
                case .unit(let u): _ = splicer.accept(u, of: &writer, from: parser, now: 0)
                }
            }
            while let b = reader.next() { out += b; reader.consume(b.count) }
        }
    }
    print(parser.videoFormat as Any, parser.losses, splicer.frames, splicer.tail, out.count, data.count)
    try Data(out).write(to: URL(fileURLWithPath: "/tmp/b.ts"))
}
