import DataPath
import Foundation
import SystemPackage
import TestSupport

/// A fake encoder. It reads IVF and writes a small encoded frame for each frame, as many as the test allows.
final class FakeEncoder: Sendable {
    struct Frame: Hashable {
        var number: Int
        /// In ticks.
        var time: Int64
        /// Its bytes are those of one complete frame.
        var isWhole: Bool
    }

    private struct State {
        var frames: [Frame] = []
        /// How many frames it may give.
        var allowed: Int
        /// How many frames it has given.
        var given = 0
        /// It reads its input.
        var reads: Bool
        var isReady = false
        var isOver = false
        var hasEnded = false
    }

    let name: Int
    let reports = Reports<EncoderEvent>()
    private let path: DataPath
    private let attachment: DataPath.Attachment
    private let format: FrameFormat
    private let state: Guarded<State>

    /// - Parameters:
    ///   - name: Contained in each encoded frame.
    ///   - gives: How many frames it gives until ``allow(_:)``.
    init(
        _ name: Int, of frames: DataPath.Attachment, in path: DataPath, format: FrameFormat, takesOver: Bool = false,
        startPatience: Duration = .seconds(20),
        frameDuration: Duration? = nil, gives: Int = .max, reads: Bool = true
    ) async throws {
        self.name = name
        self.path = path
        self.format = format
        state = Guarded(State(allowed: gives, reads: reads))
        let input: FileDescriptor
        let output: FileDescriptor
        (attachment, input, output) = try await path.attachEncoder(
            ofFrames: frames, takesOver: takesOver, startPatience: startPatience, frameDuration: frameDuration
        ) { [reports] in reports.add($0) }
        Thread.detachNewThread { [self] in
            read(input.rawValue)
            close(input.rawValue)
            state.withLock { $0.hasEnded = true }
        }
        Thread.detachNewThread { [self] in
            write(output.rawValue)
            close(output.rawValue)
        }
    }

    var frames: [Frame] { state.withLock(\.frames) }
    var given: Int { state.withLock(\.given) }
    /// It has read the header before the first frame.
    var isReady: Bool { state.withLock(\.isReady) }
    /// Its input has ended, or it has ended itself.
    var hasEnded: Bool { state.withLock(\.hasEnded) }

    /// Lets it give this many more frames.
    func allow(_ count: Int = .max) { state.withLock { $0.allowed = count == .max ? .max : $0.given + count } }
    /// Lets it read its input from now on.
    func startReading() { state.withLock { $0.reads = true } }

    /// Ends at once, with frames that it has not given.
    func kill() async {
        end()
        await path.detach(attachment)
    }

    /// Stops its waits. Its threads end with the pipes.
    func end() { state.withLock { $0.isOver = true } }

    // MARK: Input

    private func read(_ descriptor: CInt) {
        guard state.wait(until: { $0.isOver ? false : $0.reads ? true : nil }),
            take(32, descriptor).map({ $0.starts(with: Array("DKIF".utf8)) }) == true
        else { return }
        state.withLock { $0.isReady = true }
        while let header = take(12, descriptor) {
            let size = header[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
            let time = header[4...].reversed().reduce(0) { $0 << 8 | Int64($1) }
            guard let bytes = take(size, descriptor) else { return }
            let number = FakeFrames.number(bytes)
            let isWhole =
                size == format.byteCount
                && FakeFrames.bytes(number, size).withUnsafeBytes { memcmp($0.baseAddress!, bytes, size) == 0 }
            state.withLock { $0.frames.append(Frame(number: number, time: time, isWhole: isWhole)) }
        }
    }

    private func take(_ count: Int, _ descriptor: CInt) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + filled, count - filled) }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { return nil }
            filled += got
        }
        return bytes
    }

    // MARK: Output

    private func write(_ descriptor: CInt) {
        while let (frame, index) = next() {
            let bytes = FakeFrames.encoded(frame.number, by: name, index: index, time: frame.time)
            guard bytes.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == bytes.count else {
                return
            }
        }
    }

    /// Waits for the next frame that it may give; `nil` at the end.
    private func next() -> (Frame, Int)? {
        state.wait { state in
            if state.isOver || state.hasEnded && state.given == state.frames.count { return .some(nil) }
            guard state.given < min(state.frames.count, state.allowed) else { return nil }
            defer { state.given += 1 }
            return (state.frames[state.given], state.given)
        }
    }
}

/// A value that threads wait for.
private final class Guarded<Value>: @unchecked Sendable {
    private let condition = NSCondition()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        condition.withLock {
            defer { condition.broadcast() }
            return body(&value)
        }
    }

    /// Waits until `body` has an answer.
    func wait<Result>(until body: (inout Value) -> Result?) -> Result {
        condition.withLock {
            while true {
                if let result = body(&value) {
                    condition.broadcast()
                    return result
                }
                condition.wait()
            }
        }
    }
}

/// Makes frames that differ from each other, and encoded frames of them.
enum FakeFrames {
    /// Makes an uncompressed frame. Its first bytes are its number, and the others follow from it.
    static func bytes(_ number: Int, _ count: Int) -> [UInt8] {
        withUnsafeBytes(of: Int32(truncatingIfNeeded: number).littleEndian) { Array($0.prefix(count)) }
            + pattern[(31 * number % 4096)...].prefix(max(0, count - 4))
    }

    /// More bytes than a frame has.
    private static let pattern = (0..<1_300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }

    static func number(_ bytes: [UInt8]) -> Int { bytes[..<4].reversed().reduce(0) { $0 << 8 | Int($1) } }

    /// Makes an encoded frame in MPEG-TS. The first one is a keyframe behind the tables: a reader begins with the
    /// newest keyframe.
    static func encoded(_ number: Int, by encoder: Int, index: Int, time: Int64) -> [UInt8] {
        let isKeyframe = index == 0
        var unit: [UInt8] = [0, 0, 0, 1, 0x09, 0xF0]
        if isKeyframe {
            unit += [0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x0A, 0xDA, 0x04, 0x06, 0xE9, 0, 0, 0, 1, 0x68, 0xCE, 0x3C, 0x80]
        }
        unit += [0, 0, 1, isKeyframe ? 0x65 : 0x41] + Array("<\(encoder):\(number)>................".utf8)
        let pts = UInt64(bitPattern: time) & 0x1_FFFF_FFFF
        let header: [UInt8] = [
            0, 0, 1, 0xE0, UInt8((unit.count + 8) >> 8), UInt8((unit.count + 8) & 0xFF), 0x80, 0x80, 5,
            0x21 | UInt8(pts >> 29 & 0x0E), UInt8(pts >> 22 & 0xFF),
            0x01 | UInt8(pts >> 14 & 0xFE), UInt8(pts >> 7 & 0xFF), 0x01 | UInt8(pts << 1 & 0xFE),
        ]
        var packet: [UInt8] = [0x47, 0x41, 0x00, 0x30 | UInt8(index & 0x0F)]
        let stuffing = TransportBytes.packetSize - packet.count - header.count - unit.count
        packet += [UInt8(stuffing - 1), isKeyframe ? 0x40 : 0] + [UInt8](repeating: 0xFF, count: stuffing - 2)
        let tables =
            index == 0
            ? table(pid: 0, 0x00, [0, 1, 0xF0, 0x00])
                + table(pid: 0x1000, 0x02, [0xE1, 0x00, 0xF0, 0x00, 0x1B, 0xE1, 0x00, 0xF0, 0x00]) : []
        return tables + packet + header + unit
    }

    /// Makes the packet of a program table.
    static func table(pid: Int, _ id: UInt8, _ body: [UInt8]) -> [UInt8] {
        var section: [UInt8] = [id, 0xB0, UInt8(5 + body.count + 4), 0, 1, 0xC1, 0, 0] + body
        let sum = TransportBytes.crc(section)
        section += (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) }
        let packet: [UInt8] = [0x47, 0x40 | UInt8(pid >> 8), UInt8(pid & 0xFF), 0x10, 0] + section
        return packet + [UInt8](repeating: 0xFF, count: TransportBytes.packetSize - packet.count)
    }

    /// Returns encoder and number of each encoded frame in a stream, in order.
    static func encoded(in bytes: [UInt8]) -> [(encoder: Int, number: Int)] {
        TransportBytes.packets(bytes).filter { TransportBytes.pid($0) == 0x100 }.compactMap { packet in
            guard let start = packet.lastIndex(of: UInt8(ascii: "<")),
                let end = packet[start...].firstIndex(of: UInt8(ascii: ">"))
            else { return nil }
            let parts = String(decoding: packet[(start + 1)..<end], as: UTF8.self).split(separator: ":").compactMap {
                Int($0)
            }
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
    }
}
