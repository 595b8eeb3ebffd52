import Foundation
import Synchronization

/// MPEG-TS streams that the real FFmpeg makes once per process, kept in memory. All are 640x360 at 30 frames per
/// second, 5 s long, and have frame numbers.
package enum RecordedStream: String, Sendable, CaseIterable {
    /// H.264 and AAC, with a keyframe every 30 frames.
    case plain
    /// A keyframe every 15 frames.
    case shortGOP
    /// Two B-frames between reference frames: DTS and PTS differ.
    case bFrames
    /// Video alone.
    case noAudio
    /// H.265 and AAC.
    case hevc
    /// The first stream on PID 0x200, the PMT on 0x1F0.
    case otherPIDs
    /// PAT and PMT before every frame.
    case tablesAtFrames
    /// The discontinuity indicator is set on the first packets.
    case initialDiscontinuity
    /// No packet has the random access indicator.
    case noRandomAccess
    /// Constant 2 Mbit/s: null packets, and packets with only a PCR.
    case constantRate
    /// The 33-bit timestamps wrap about 2.7 s after the beginning.
    case wrap
    /// The same with B-frames: around the wrap some frames are before it by PTS, and others by DTS.
    case wrapWithBFrames
    case mp2
    case ac3
    /// Noise at 2.5 Mbit/s: frames of many packets.
    case busy

    package var source: NumberedSource {
        .with {
            switch self {
            case .plain, .noRandomAccess: break
            case .shortGOP: $0.gop = 15
            case .bFrames: $0.bFrames = 2
            case .noAudio: $0.audio = .none
            case .hevc: $0.codec = .hevc
            case .otherPIDs:
                $0.muxer = ["-mpegts_start_pid", "0x200", "-mpegts_pmt_start_pid", "0x1f0"]
            case .tablesAtFrames: $0.muxer = ["-mpegts_flags", "pat_pmt_at_frames"]
            case .initialDiscontinuity: $0.muxer = ["-mpegts_flags", "initial_discontinuity"]
            case .constantRate: $0.muxer = ["-muxrate", "2000k"]
            // 2^33 ticks of 1/90000 s are 95443.7177 s.
            case .wrap: $0.start = .seconds(95441)
            case .wrapWithBFrames:
                $0.start = .seconds(95441)
                $0.bFrames = 2
            case .mp2: $0.audio = .mp2
            case .ac3: $0.audio = .ac3
            case .busy:
                $0.picture = .busy
                $0.bitrate = 2500
            }
        }
    }

    /// Makes the stream, or returns the one in memory. The first call takes up to a second, and longer for HEVC.
    package func bytes() async throws -> [UInt8] {
        let making = Self.cache.withLock { cache in
            if let making = cache[self] { return making }
            let making = Task {
                var bytes = try await source.bytes()
                if self == .noRandomAccess { TransportBytes.removeRandomAccess(&bytes) }
                return bytes
            }
            cache[self] = making
            return making
        }
        do {
            return try await making.value
        } catch {
            Self.cache.withLock { $0[self] = nil }
            throw error
        }
    }

    private static let cache = Mutex<[RecordedStream: Task<[UInt8], any Error>]>([:])
}
