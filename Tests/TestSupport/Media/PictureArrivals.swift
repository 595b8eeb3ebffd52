import Foundation
import Synchronization

/// Reads MPEG-TS from a TCP port on 127.0.0.1, such as a tap's, and notes when each picture arrives.
///
/// A thread of its own waits for the bytes, so that the tests' other work does not make pictures late.
public final class PictureArrivals: Sendable {
    private let descriptor: Int32
    private let times = Mutex<[ContinuousClock.Instant]>([])

    /// - Throws: `Failed` when nobody listens.
    public init(port: Int) throws {
        descriptor = try connect(port: port)
        let thread = Thread { [weak self] in
            // Better than what encodes beside it; a plain user's tests are patient.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10)
            var scan = PictureScan()
            var piece = [UInt8](repeating: 0, count: 64 << 10)
            while let descriptor = self?.descriptor {
                let count = recv(descriptor, &piece, piece.count, 0)
                guard count > 0 else { return }
                let now = ContinuousClock.now
                let pictures = scan.pictures(in: piece[..<count])
                self?.times.withLock { $0 += repeatElement(now, count: pictures) }
            }
        }
        thread.start()
    }

    /// Ends the reading; the descriptor goes with the thread's last look at it.
    public func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    deinit { close(descriptor) }

    /// Of all pictures so far.
    public var all: [ContinuousClock.Instant] { times.withLock { $0 } }

    /// Seconds of the longest pause that ended with a picture behind the first `count` ones.
    public func longestPause(after count: Int) -> Double {
        let times = Array(all.dropFirst(max(0, count - 1)))
        return zip(times, times.dropFirst()).map { ($1 - $0).inSeconds }.max() ?? 0
    }

    /// Waits until so many pictures have come.
    public func waitFor(_ count: Int, within limit: Duration = .seconds(40), file: String = #fileID, line: Int = #line) async throws {
        try await eventually("\(count) pictures at a tap", within: limit, file: file, line: line) { all.count >= count }
    }
}

/// Counts the beginnings of pictures in MPEG-TS that comes in pieces and begins with a packet.
struct PictureScan {
    private var rest: [UInt8] = []

    mutating func pictures(in piece: ArraySlice<UInt8>) -> Int {
        rest += piece
        var count = 0
        var start = 0
        while start + TransportBytes.packetSize <= rest.count {
            if Self.beginsPicture(rest[start..<start + TransportBytes.packetSize]) { count += 1 }
            start += TransportBytes.packetSize
        }
        rest.removeFirst(start)
        return count
    }

    /// Whether a packet begins the PES packet of a video stream.
    private static func beginsPicture(_ packet: ArraySlice<UInt8>) -> Bool {
        let at = packet.startIndex
        guard packet[at] == 0x47, packet[at + 1] & 0x40 != 0, packet[at + 3] & 0x10 != 0 else { return false }
        let payload = at + 4 + (packet[at + 3] & 0x20 != 0 ? 1 + Int(packet[at + 4]) : 0)
        return payload + 4 <= packet.endIndex && packet[payload..<payload + 3].elementsEqual([0, 0, 1]) && packet[payload + 3] & 0xF0 == 0xE0
    }
}
