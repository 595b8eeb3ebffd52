/// Finds the `key=value` blocks of `-progress` in lines that also contain log messages.
///
/// FFmpeg 5.1 writes no block while its input is frozen, so missing blocks mean nothing.
struct ProgressParser {
    enum Outcome: Equatable {
        /// The block is complete.
        case progress(Progress)
        /// A line of a block.
        case part
        /// Something else.
        case other
    }

    private var block = Progress()

    mutating func consume(_ line: Substring) -> Outcome {
        guard let mark = line.firstIndex(of: "=") else { return .other }
        let key = line[..<mark]
        // FFmpeg pads some values: `bitrate=   0.0kbits/s`.
        let value = line[line.index(after: mark)...].drop { $0 == " " }
        switch key {
        case "frame": block.frame = Self.count(value).flatMap { Int(exactly: $0) }
        case "fps": block.fps = Self.decimal(value)
        case "bitrate":
            block.bitrate =
                value.hasSuffix("kbits/s") ? Self.decimal(value.dropLast(7)).map { ($0 * 1000).rounded() } : nil
        case "total_size": block.totalSize = Self.count(value)
        case "out_time_us": block.outTime = Int64(value)
        // In microseconds too, despite the name. `out_time` is the same in a readable form.
        case "out_time_ms", "out_time": break
        case "dup_frames": block.duplicated = Self.count(value).flatMap { Int(exactly: $0) }
        case "drop_frames": block.dropped = Self.count(value).flatMap { Int(exactly: $0) }
        case "speed": block.speed = value.hasSuffix("x") ? Self.decimal(value.dropLast()) : nil
        case "progress":
            guard value == "continue" || value == "end" else { return .other }
            block.isLast = value == "end"
            defer { block = Progress() }
            return .progress(block)
        default:
            guard key.hasPrefix("stream_"), key.hasSuffix("_q") || key.hasSuffix("_psnr_all") else { return .other }
        }
        return .part
    }

    private static func count(_ text: Substring) -> Int64? {
        Int64(text).flatMap { $0 >= 0 ? $0 : nil }
    }

    private static func decimal(_ text: Substring) -> Double? {
        guard let value = Double(text.drop { $0 == " " }), value.isFinite, value >= 0 else { return nil }
        return value
    }
}
