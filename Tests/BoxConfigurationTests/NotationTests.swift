import MediaTypes
import Testing

@testable import BoxConfiguration

@Suite struct NotationTests {
    @Test(
        "a frame rate is an exact fraction",
        arguments: [
            ("30", 30, 1), ("60", 60, 1), ("29.97", 30000, 1001), ("59.94", 60000, 1001), ("23.976", 24000, 1001),
            ("23.98", 24000, 1001), ("119.88", 120_000, 1001), ("47.952", 48000, 1001), ("30000/1001", 30000, 1001),
            ("12.5", 25, 2), ("50/2", 25, 1), ("25.0", 25, 1), ("1", 1, 1), ("240", 240, 1),
        ])
    func frameRates(text: String, numerator: Int, denominator: Int) throws {
        let rate = try FrameRate(parsing: text)
        #expect(rate.numerator == numerator && rate.denominator == denominator)
        #expect(try FrameRate(parsing: rate.notation) == rate)
    }

    @Test(
        "a wrong frame rate throws an error that says why",
        arguments: [
            ("", "is not a rate; write a rate such as 30, 29.97 or 30000/1001"),
            ("fast", "is not a rate; write a rate such as 30, 29.97 or 30000/1001"),
            ("30/0", "is out of range; allowed: 1 to 240 frames per second"),
            ("0", "is out of range; allowed: 1 to 240 frames per second"),
            ("241", "is out of range; allowed: 1 to 240 frames per second"),
            ("9223372036854775807/1", "is out of range; allowed: 1 to 240 frames per second"),
            ("99999999999999999999", "is not a rate; write a rate such as 30, 29.97 or 30000/1001"),
            ("-30", "is not a rate; write a rate such as 30, 29.97 or 30000/1001"),
        ])
    func wrongFrameRates(text: String, message: String) {
        #expect(throws: ParseError(message)) { try FrameRate(parsing: text) }
    }

    @Test("the duration of a frame follows from its rate")
    func frameDuration() {
        #expect(FrameRate(25).frameDuration == .milliseconds(40))
        #expect(FrameRate(30000, 1001).frameDuration == .nanoseconds(33_366_667))
    }

    @Test(
        "a bitrate round-trips through its notation",
        arguments: [
            ("6000k", 6_000_000, "6M"), ("6M", 6_000_000, "6M"), ("2.5M", 2_500_000, "2500k"),
            ("160k", 160_000, "160k"),
            ("1G", 1_000_000_000, "1000M"), ("0.5k", 500, "0.5k"), ("1.234k", 1234, "1.234k"),
        ])
    func bitrates(text: String, bits: Int, notation: String) throws {
        let bitrate = try Bitrate(parsing: text)
        #expect(bitrate.bitsPerSecond == bits)
        #expect(bitrate.description == notation)
        #expect(try Bitrate(parsing: notation) == bitrate)
    }

    @Test(
        "a wrong bitrate throws an error that says why",
        arguments: [
            ("6000", "has no unit; write a bitrate such as 6000k or 6M"),
            ("6000kbps", "has an unknown unit; write a bitrate such as 6000k or 6M"),
            ("6m", "has an unknown unit; write a bitrate such as 6000k or 6M"),
            ("much", "is not a bitrate; write a bitrate such as 6000k or 6M"),
            ("0M", "is not a bitrate; write a bitrate such as 6000k or 6M"),
            ("1.2.3M", "is not a bitrate; write a bitrate such as 6000k or 6M"),
            ("99999999999999999G", "is not a bitrate; write a bitrate such as 6000k or 6M"),
        ])
    func wrongBitrates(text: String, message: String) {
        #expect(throws: ParseError(message)) { try Bitrate(parsing: text) }
    }

    @Test(
        "a duration round-trips through its notation",
        arguments: [
            ("500ms", 500, "500ms"), ("2s", 2000, "2s"), ("10m", 600_000, "10m"), ("1h", 3_600_000, "1h"),
            ("90s", 90_000, "90s"), ("60s", 60_000, "1m"), ("1.5s", 1500, "1500ms"), ("0s", 0, "0s"),
        ])
    func durations(text: String, milliseconds: Int, notation: String) throws {
        let duration = try DurationNotation.parse(text)
        #expect(duration == .milliseconds(milliseconds))
        #expect(DurationNotation.text(duration) == notation)
        #expect(try DurationNotation.parse(notation) == duration)
    }

    @Test(
        "a wrong duration throws an error that says why",
        arguments: [
            ("2", "has no unit; write a duration such as 500ms, 2s, 10m or 1h"),
            ("2sec", "has an unknown unit; write a duration such as 500ms, 2s, 10m or 1h"),
            ("s", "is not a duration; write a duration such as 500ms, 2s, 10m or 1h"),
            ("-2s", "is not a duration; write a duration such as 500ms, 2s, 10m or 1h"),
            ("0.5ms", "is not a duration of whole milliseconds; write a duration such as 500ms, 2s, 10m or 1h"),
            (
                "9999999999999999999h",
                "is not a duration of whole milliseconds; write a duration such as 500ms, 2s, 10m or 1h"
            ),
        ])
    func wrongDurations(text: String, message: String) {
        #expect(throws: ParseError(message)) { try DurationNotation.parse(text) }
    }

    @Test(
        "an amount of storage round-trips through its notation",
        arguments: [
            ("500M", 500_000_000, "500M"), ("20G", 20_000_000_000, "20G"), ("1.5T", 1_500_000_000_000, "1500G"),
            ("2000M", 2_000_000_000, "2G"), ("1k", 1000, "1k"),
        ])
    func byteCounts(text: String, bytes: Int, notation: String) throws {
        let count = try ByteCount(parsing: text)
        #expect(count.bytes == bytes)
        #expect(count.description == notation)
        #expect(try ByteCount(parsing: notation) == count)
    }

    @Test("a size round-trips through its notation", arguments: ["1920x1080", "16x16", "8192x8192"])
    func sizes(text: String) throws {
        #expect(try FrameSize(parsing: text).description == text)
    }

    @Test(
        "a wrong size throws an error that says why",
        arguments: [
            ("1921x1080", "has an odd width; allowed: even numbers from 16 to 8192"),
            ("1920x1081", "has an odd height; allowed: even numbers from 16 to 8192"),
            ("14x1080", "has a width out of range; allowed: even numbers from 16 to 8192"),
            ("1920x8194", "has a height out of range; allowed: even numbers from 16 to 8192"),
            ("1080p", "is not a size; write a size such as 1920x1080"),
            ("1920x1080x2", "is not a size; write a size such as 1920x1080"),
            ("-16x16", "is not a size; write a size such as 1920x1080"),
        ])
    func wrongSizes(text: String, message: String) {
        #expect(throws: ParseError(message)) { try FrameSize(parsing: text) }
    }

    @Test(
        "an address round-trips through its notation",
        arguments: [
            ("127.0.0.1:9163", "127.0.0.1", 9163), ("[::1]:9163", "::1", 9163), ("localhost:80", "localhost", 80),
            ("box-1.lan:65535", "box-1.lan", 65535),
        ])
    func addresses(text: String, host: String, port: Int) throws {
        let address = try SocketAddress(parsing: text)
        #expect(address == SocketAddress(host: host, port: port))
        #expect(address.description == text)
    }

    @Test(
        "a wrong address throws an error that says why",
        arguments: [
            ("1935", "is not an address with a port; write for instance \"0.0.0.0:1935\""),
            ("localhost", "is not an address with a port; write for instance \"localhost:1935\""),
            (":1935", "has no address; write \"0.0.0.0:1935\" to listen on every IPv4 address"),
            ("0.0.0.0:0", "has no valid port; allowed: 1 to 65535"),
            ("0.0.0.0:65536", "has no valid port; allowed: 1 to 65535"),
            ("0.0.0.0:http", "has no valid port; allowed: 1 to 65535"),
            ("::1:80", "has an IPv6 address without brackets; write \"[::1]:80\""),
            (
                "300.0.0.1:80",
                "has no valid address before the port; write an address and a port such as \"0.0.0.0:1935\""
            ),
            ("a b:80", "has no valid address before the port; write an address and a port such as \"0.0.0.0:1935\""),
            ("[zz]:80", "has no IPv6 address between its brackets"),
        ])
    func wrongAddresses(text: String, message: String) {
        #expect(throws: ParseError(message)) { try SocketAddress(parsing: text) }
    }

    @Test(
        "the nearest name is found for a typing error, and not for other text",
        arguments: [
            ("bitrat", "bitrate"), ("btirate", "bitrate"), ("keyframes", "keyframe"), ("Size", "size"), ("zzzzzz", nil),
            ("", nil),
        ])
    func nearestNames(text: String, expected: String?) {
        #expect(NearestName.find(text, among: ["bitrate", "keyframe", "size"]) == expected)
    }
}
