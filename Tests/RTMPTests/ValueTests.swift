import MPEGTS
import TestSupport
import Testing

@testable import RTMP

/// AMF0 values and stream keys.
@Suite struct ValueTests {
    private func read(_ bytes: [UInt8]) throws -> AMF0 {
        try bytes.withUnsafeBytes { bytes in
            var reader = AMF0Reader(bytes)
            return try reader.next()
        }
    }

    @Test("written values are read back unchanged")
    func roundTrip() throws {
        let value = AMF0.object([
            .init("a", .number(1.5)), .init("", .boolean(true)), .init("ü", .string("x")),
            .init("list", .array([.null, .object([])])),
        ])
        var bytes: [UInt8] = []
        value.write(to: &bytes)
        #expect(try read(bytes) == value)
        for count in 0..<bytes.count { #expect(throws: Violation.malformed) { try read(Array(bytes.prefix(count))) } }
    }

    @Test("types that commands do not use are skipped")
    func otherTypes() throws {
        #expect(try read([0x06]) == .null)
        #expect(try read([0x0B, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) == .null)
        #expect(try read([0x0C, 0, 0, 0, 1, 0x61]) == .string("a"))
        #expect(try read([0x08, 0, 0, 0, 9, 0, 1, 0x61, 0x05, 0, 0, 9]) == .object([.init("a", .null)]))
        #expect(try read([0x10, 0, 1, 0x54, 0, 0, 9]) == .object([]))
    }

    @Test("the depth and the number of values are limited")
    func limits() {
        #expect(throws: Violation.malformed) {
            try read(Array(repeating: [0x0A, 0, 0, 0, 1], count: 20).flatMap { $0 } + [0x05])
        }
        #expect(throws: Violation.malformed) {
            try read([0x0A, 0xFF, 0xFF, 0xFF, 0xFF] + Array(repeating: 5, count: 10))
        }
        #expect(throws: Violation.malformed) { try read([0x0A, 0, 0, 3, 0] + Array(repeating: 5, count: 768)) }
    }

    @Test("a key accepts only itself")
    func key() {
        let key = StreamKey("live_abc?x=1")
        #expect(key.admits("live_abc?x=1"))
        for wrong in [
            "", "l", "live_abc?x=", "live_abc?x=2", "live_abc?x=1 ", "live_abc?x=1live_abc?x=1", "Live_abc?x=1",
        ] { #expect(!key.admits(wrong), "\(wrong)") }
        #expect("\(key)" == "****")
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("abc") && !dumped.contains("108"))
    }
}
