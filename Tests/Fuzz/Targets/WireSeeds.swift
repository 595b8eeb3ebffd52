@testable import MPEGTS

/// A small stream: tables, a keyframe, an audio frame, and two more video frames.
enum WireSeeds {
    static let videoPID: UInt16 = 0x100
    static let audioPID: UInt16 = 0x101

    /// A sequence parameter set of libx264: 640x360, 30 frames a second.
    static let parameterSet: [UInt8] = [
        0x67, 0x42, 0xC0, 0x1E, 0xD9, 0x00, 0xA0, 0x2F, 0xF9, 0x61, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03,
        0x00, 0x3C, 0x0F, 0x16, 0x2E, 0x48,
    ]
    static let keyframe: [UInt8] =
        [0, 0, 0, 1] + parameterSet + [0, 0, 0, 1, 0x68, 0xCE, 0x3C, 0x80, 0, 0, 1, 0x65, 0x88, 0x84, 0, 0x10]
    static let frame: [UInt8] = [0, 0, 0, 1, 0x41, 0x9A, 0x24, 0x6C, 0x41]

    /// Two packets with the program tables.
    static var tables: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 2 * Packet.size) { buffer, count in
            PSI.write(
                Program(video: .init(pid: videoPID, type: .h264), audio: .init(pid: audioPID, type: .aac)),
                version: 0, patContinuity: 0,
                pmtContinuity: 0, to: buffer.baseAddress!)
            count = 2 * Packet.size
        }
    }
    static var association: [UInt8] { [0xFF] + Array(tables[4..<132]) }
    static var map: [UInt8] { [0xFF] + Array(tables[Packet.size + 4..<Packet.size + 132]) }

    static var stream: [UInt8] {
        tables + pes(FeedLayout.videoPID, keyframe, pts: 900_000, counter: 0, isKeyframe: true)
            + pes(FeedLayout.audioPID, ADTS.silence, pts: 900_000, counter: 0, isKeyframe: false)
            + pes(FeedLayout.videoPID, frame, pts: 903_000, counter: 1, isKeyframe: false)
            + pes(FeedLayout.videoPID, frame, pts: 906_000, counter: 2, isKeyframe: false)
    }

    /// One PES packet in one transport packet, with stuffing.
    static func pes(_ pid: UInt16, _ payload: [UInt8], pts: Int64, counter: UInt8, isKeyframe: Bool) -> [UInt8] {
        var header: [UInt8] = [0, 0, 1, pid == FeedLayout.videoPID ? 0xE0 : 0xC0, 0, 0, 0x80, 0x80, 5, 0, 0, 0, 0, 0]
        header.withUnsafeMutableBufferPointer { PESHeader.writeTimestamp(pts, marker: 2, to: $0.baseAddress! + 9) }
        let stuffing = Packet.size - 4 - 2 - header.count - payload.count
        return [
            Packet.syncByte, 0x40 | UInt8(pid >> 8), UInt8(pid & 0xFF), 0x30 | counter & 15, UInt8(1 + stuffing),
            isKeyframe ? 0x40 : 0,
        ]
            + [UInt8](repeating: 0xFF, count: stuffing) + header + payload
    }
}
