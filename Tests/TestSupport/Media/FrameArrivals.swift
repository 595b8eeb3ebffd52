import Foundation
import Synchronization

/// Reads MPEG-TS from a TCP port on 127.0.0.1, such as a tap's, and notes when each frame arrives.
///
/// A thread of its own waits for the bytes, so that the other work of the tests does not delay frames.
package final class FrameArrivals: Sendable {
    package struct Frame: Sendable {
        package let time: ContinuousClock.Instant
        /// Whether a decoder can begin with it.
        package let isKey: Bool
    }

    private let descriptor: Int32
    private let frames = Mutex<[Frame]>([])

    /// Connects to the port.
    ///
    /// - Throws: `Failed` if no program listens.
    package init(port: Int) throws {
        descriptor = try connect(port: port)
        let thread = Thread { [weak self] in
            // A higher priority than the encoders. Without root it has no effect, and the tests allow for that.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10)
            var scan = FrameScan()
            var piece = [UInt8](repeating: 0, count: 64 << 10)
            while let descriptor = self?.descriptor {
                let count = recv(descriptor, &piece, piece.count, 0)
                guard count > 0 else { return }
                let now = ContinuousClock.now
                let keys = scan.frames(in: piece[..<count])
                self?.frames.withLock { $0 += keys.map { Frame(time: now, isKey: $0) } }
            }
        }
        thread.start()
    }

    /// Ends the reading. The descriptor is closed once the thread has ended.
    package func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    deinit { close(descriptor) }

    /// All frames so far.
    package var all: [Frame] { frames.withLock { $0 } }

    /// The pause in seconds before each keyframe after the first `count` frames. A new encoder begins with a keyframe.
    package func pausesBeforeKeyframes(after count: Int) -> [Double] {
        let frames = Array(all.dropFirst(max(0, count - 1)))
        return zip(frames, frames.dropFirst()).compactMap { $1.isKey ? ($1.time - $0.time).inSeconds : nil }
    }

    /// Waits until so many frames have arrived.
    package func waitFor(_ count: Int, within limit: Duration = .seconds(40), file: String = #fileID, line: Int = #line)
        async throws
    {
        try await eventually("\(count) frames at a tap", within: limit, file: file, line: line) { all.count >= count }
    }
}

/// Finds the first packets of frames in MPEG-TS that arrives in pieces and begins with a packet.
struct FrameScan {
    private var rest: [UInt8] = []

    /// Reads a piece.
    ///
    /// - Returns: For each frame that begins in it, whether a decoder can begin with it.
    mutating func frames(in piece: ArraySlice<UInt8>) -> [Bool] {
        rest += piece
        var keys: [Bool] = []
        var start = 0
        while start + TransportBytes.packetSize <= rest.count {
            if let isKey = Self.frame(rest[start..<start + TransportBytes.packetSize]) { keys.append(isKey) }
            start += TransportBytes.packetSize
        }
        rest.removeFirst(start)
        return keys
    }

    /// The random access indicator of a packet; `nil` unless the packet begins the PES packet of a video stream.
    private static func frame(_ packet: ArraySlice<UInt8>) -> Bool? {
        let at = packet.startIndex
        guard packet[at] == 0x47, packet[at + 1] & 0x40 != 0, packet[at + 3] & 0x10 != 0 else { return nil }
        let hasField = packet[at + 3] & 0x20 != 0
        let payload = at + 4 + (hasField ? 1 + Int(packet[at + 4]) : 0)
        guard payload + 4 <= packet.endIndex, packet[payload..<payload + 3].elementsEqual([0, 0, 1]),
            packet[payload + 3] & 0xF0 == 0xE0
        else { return nil }
        return hasField && packet[at + 4] > 0 && packet[at + 5] & 0x40 != 0
    }
}
