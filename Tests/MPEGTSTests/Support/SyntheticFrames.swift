@testable import MPEGTS

/// Video and audio frames in MPEG-TS with known times, one packet each.
enum SyntheticFrames {
    struct Frame: Hashable {
        var pts: Int64
        var dts: Int64
        var isKeyframe: Bool
    }

    /// A keyframe and the frames after it, in decoding order: subgroups of a P-frame and a pyramid of B-frames with
    /// `levels` levels.
    ///
    /// A decoder holds back as many frames as there are levels. Without levels, frames are decoded in presentation
    /// order.
    ///
    /// - Parameter frame: The duration of a frame in ticks.
    static func group(levels: Int, subgroups: Int, frame: Int64, start: Int64) -> [Frame] {
        let size = 1 << levels
        var places = [0]
        for number in 0..<subgroups {
            let subgroup = [size] + pyramid(0, size)
            places += subgroup.map { $0 + number * size }
        }
        let delay = places.indices.map { $0 - places[$0] }.max() ?? 0
        return places.indices.map { index in
            Frame(
                pts: start + Int64(places[index] + delay) * frame, dts: start + Int64(index) * frame,
                isKeyframe: index == 0)
        }
    }

    private static func pyramid(_ low: Int, _ high: Int) -> [Int] {
        guard high - low > 1 else { return [] }
        let middle = (low + high) / 2
        return [middle] + pyramid(low, middle) + pyramid(middle, high)
    }

    /// The tables, followed by the frames.
    static func bytes(_ frames: [Frame]) -> [UInt8] {
        var bytes = tables
        for (number, frame) in frames.enumerated() { bytes += packet(frame, counter: UInt8(number & 15)) }
        return bytes
    }

    static var tables: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 2 * 188)
        bytes.withUnsafeMutableBufferPointer {
            PSI.write(
                Program(video: .init(pid: 0x100, type: .h264), audio: .init(pid: 0x101, type: .aac)), version: 0,
                patContinuity: 0, pmtContinuity: 0,
                to: $0.baseAddress!)
        }
        return bytes
    }

    static func packet(_ frame: Frame, counter: UInt8) -> [UInt8] {
        var unit: [UInt8] = [0, 0, 0, 1, 0x09, 0xF0]
        if frame.isKeyframe {
            unit += [
                0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x0A, 0xDA, 0x04, 0x06, 0xE9, 0, 0, 0, 1, 0x68, 0xCE, 0x3C, 0x80, 0, 0, 1,
                0x65, 0x88, 0x84,
            ]
        } else {
            unit += [0, 0, 1, 0x41, 0x9A, 0x24, 0x6C, 0x41]
        }
        return packet(
            0x100, stream: 0xE0, unit, pts: frame.pts, dts: frame.dts, counter: counter,
            isKeyframe: frame.isKeyframe)
    }

    /// An audio frame.
    static func audio(pts: Int64, counter: UInt8, frame: [UInt8] = ADTS.silence) -> [UInt8] {
        packet(0x101, stream: 0xC0, frame, pts: pts, dts: pts, counter: counter, isKeyframe: false)
    }

    private static func packet(
        _ pid: UInt16, stream: UInt8, _ unit: [UInt8], pts: Int64, dts: Int64, counter: UInt8, isKeyframe: Bool
    ) -> [UInt8] {
        let hasDTS = dts != pts
        let times = hasDTS ? 10 : 5
        var header: [UInt8] = [
            0, 0, 1, stream, 0, UInt8(3 + times + unit.count), 0x80, hasDTS ? 0xC0 : 0x80, UInt8(times),
        ]
        header += [UInt8](repeating: 0, count: times)
        header.withUnsafeMutableBufferPointer {
            PESHeader.writeTimestamp(pts, marker: hasDTS ? 3 : 2, to: $0.baseAddress! + 9)
            if hasDTS { PESHeader.writeTimestamp(dts, marker: 1, to: $0.baseAddress! + 14) }
        }
        let stuffing = 188 - 6 - header.count - unit.count
        var packet: [UInt8] = [
            0x47, 0x40 | UInt8(pid >> 8), UInt8(pid & 0xFF), 0x30 | counter & 0x0F, UInt8(1 + stuffing),
            isKeyframe ? 0x40 : 0,
        ]
        packet += [UInt8](repeating: 0xFF, count: stuffing)
        return packet + header + unit
    }
}
