import Foundation
import Synchronization

/// Reads MPEG-TS from a TCP port on 127.0.0.1, such as a tap's, and notes when each picture arrives.
///
/// A thread of its own waits for the bytes, so that the tests' other work does not make pictures late.
package final class PictureArrivals: Sendable {
    package struct Picture: Sendable {
        package let time: ContinuousClock.Instant
        /// A decoder can begin with it.
        package let isKey: Bool
    }

    private let descriptor: Int32
    private let pictures = Mutex<[Picture]>([])

    /// - Throws: `Failed` when nobody listens.
    package init(port: Int) throws {
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
                let keys = scan.pictures(in: piece[..<count])
                self?.pictures.withLock { $0 += keys.map { Picture(time: now, isKey: $0) } }
            }
        }
        thread.start()
    }

    /// Ends the reading; the descriptor goes with the thread's last look at it.
    package func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    deinit { close(descriptor) }

    /// All so far.
    package var all: [Picture] { pictures.withLock { $0 } }

    /// Seconds before each key picture behind the first `count` pictures in which none came: an encoder begins with
    /// such a one.
    package func pausesBeforeKeys(after count: Int) -> [Double] {
        let pictures = Array(all.dropFirst(max(0, count - 1)))
        return zip(pictures, pictures.dropFirst()).compactMap { $1.isKey ? ($1.time - $0.time).inSeconds : nil }
    }

    /// Waits until so many pictures have come.
    package func waitFor(_ count: Int, within limit: Duration = .seconds(40), file: String = #fileID, line: Int = #line)
        async throws
    {
        try await eventually("\(count) pictures at a tap", within: limit, file: file, line: line) { all.count >= count }
    }
}

/// Finds the beginnings of pictures in MPEG-TS that comes in pieces and begins with a packet.
struct PictureScan {
    private var rest: [UInt8] = []

    /// - Returns: Of each picture whether a decoder can begin with it.
    mutating func pictures(in piece: ArraySlice<UInt8>) -> [Bool] {
        rest += piece
        var keys: [Bool] = []
        var start = 0
        while start + TransportBytes.packetSize <= rest.count {
            if let isKey = Self.picture(rest[start..<start + TransportBytes.packetSize]) { keys.append(isKey) }
            start += TransportBytes.packetSize
        }
        rest.removeFirst(start)
        return keys
    }

    /// `nil` where a packet does not begin the PES packet of a video stream; else its random access indicator.
    private static func picture(_ packet: ArraySlice<UInt8>) -> Bool? {
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
