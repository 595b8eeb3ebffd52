import BoxConfiguration
package import CapabilityProbe
import EncoderSelection
import FFmpeg
package import MediaTypes

/// What a card is asked for: the mode of it that is nearest to the wish.
package struct CaptureSetting: Sendable, Hashable, CustomStringConvertible {
    /// FFmpeg's name of the format; `nil` leaves it to FFmpeg.
    package var format: String?
    package var size: FrameSize?
    package var rate: FrameRate?
    /// The fields that its frames consist of; `nil` where they are progressive, or the driver says nothing of it.
    package var fields: FieldOrder?
    /// It is not quite what was asked for.
    package var isOther = false

    package var description: String {
        let words = [format, size.map { "\($0)" }, rate.map { "at \($0)" }, fields.map { _ in "interlaced" }]
        return words.compactMap { $0 }.joined(separator: " ")
    }

    /// Of the frames that the card is read as; where nobody knows, they are scaled to the most common.
    var frameSize: FrameSize { size ?? FrameSize(width: 1280, height: 720) }

    /// V4L2's formats that FFmpeg reads, by preference: what is not compressed costs the processor least and loses
    /// nothing.
    private static let formats = [
        "NV12": "nv12", "YUYV": "yuyv422", "UYVY": "uyvy422", "YU12": "yuv420p", "BGR3": "bgr24", "RGB3": "rgb24",
        "MJPG": "mjpeg", "JPEG": "mjpeg",
        "H264": "h264",
    ]
    private static let preference = ["NV12", "YU12", "YUYV", "UYVY", "BGR3", "RGB3", "MJPG", "JPEG", "H264"]
    /// Rates that differ by less are the same: 59.94 and 60.
    private static let sameRate = 0.5
    /// Where no rate is asked for, faster modes are taken when there is no other that moves.
    private static let fastest = 60.5
    /// Slower than this a picture does not move; such a mode is taken when there is no other.
    private static let slowest = 23.5

    /// - Parameter format: V4L2's four letters.
    static func reads(_ format: String) -> Bool { formats[format] != nil }

    private struct Candidate {
        var mode: CaptureMode
        var rate: FrameRate?
        var pixels: Int { mode.width * mode.height }
        var perSecond: Double { rate.map { Double($0.numerator) / Double($0.denominator) } ?? 0 }
        /// 0 for a picture that moves, 1 for one that is faster than is needed, 2 for one that does not move.
        var pace: Int {
            guard rate != nil else { return 0 }
            return perSecond > fastest ? 1 : perSecond < slowest ? 2 : 0
        }
        /// The less, the better: up to what is needed faster is better, and past that slower.
        var haste: Double { perSecond > fastest ? perSecond : -perSecond }
        var preference: Int { CaptureSetting.preference.firstIndex(of: mode.format) ?? .max }
    }

    /// - Parameters:
    ///   - modes: What the card says that it can do; `nil` or empty where it could not be asked.
    ///   - size: The wish; `nil` for the best of the card.
    ///   - rate: Likewise.
    package init(_ modes: [CaptureMode]?, size: FrameSize?, rate: FrameRate?) {
        let wanted = rate.map { Double($0.numerator) / Double($0.denominator) }
        let candidates = (modes ?? []).filter { Self.formats[$0.format] != nil }.flatMap { mode in
            let rates = mode.rates.compactMap { Self.rate($0) }
            return rates.isEmpty ? [Candidate(mode: mode)] : rates.map { Candidate(mode: mode, rate: $0) }
        }
        guard let best = candidates.min(by: { Self.isBetter($0, than: $1, size, wanted) }) else {
            self.size = size
            self.rate = rate
            return
        }
        format = Self.formats[best.mode.format]
        if size == nil, best.mode.leastWidth != nil {
            // A card that scales to any size gives what arrives at its input as it is when nothing is asked for.
            self.rate = rate
            return
        }
        self.size = Self.size(best.mode, size)
        self.rate = best.rate ?? rate
        let isOtherSize = size.map { $0 != self.size } ?? false
        isOther = isOtherSize || (best.rate != nil && wanted.map { abs($0 - best.perSecond) > 0.5 } ?? false)
    }

    /// Takes what the card gives by itself for what is not asked for; and for what was where it is not the card's to
    /// choose.
    package mutating func fill(from arriving: CardInput.Arriving) {
        let mode = arriving.mode
        let arrived = FrameSize(width: mode.width, height: mode.height)
        // A mode of the card's list scales to what was asked for.
        if arriving.decides, format == nil {
            isOther = isOther || size.map { $0 != arrived } ?? false
            size = arrived
        }
        size = size ?? arrived
        rate = rate ?? mode.rates.first.flatMap { Self.rate($0) }
    }

    private static func isBetter(_ one: Candidate, than other: Candidate, _ size: FrameSize?, _ rate: Double?) -> Bool {
        let key = { (candidate: Candidate) -> (Int, Double, Int, Double, Int) in
            let gap = rate.map { abs(candidate.perSecond - $0) } ?? candidate.haste
            guard let size else {
                // Without a size the rate that is asked for decides.
                return (
                    rate == nil ? candidate.pace : 0, rate == nil || gap < sameRate ? 0 : gap, -candidate.pixels, gap,
                    candidate.preference
                )
            }
            let taken = Self.size(candidate.mode, size)
            let distance = abs(taken.width - size.width) + abs(taken.height - size.height)
            return (0, Double(distance), rate == nil ? candidate.pace : 0, gap, candidate.preference)
        }
        return key(one) < key(other)
    }

    /// A card that scales gives any size between its least and its greatest.
    private static func size(_ mode: CaptureMode, _ wish: FrameSize?) -> FrameSize {
        guard let wish, let leastWidth = mode.leastWidth, let leastHeight = mode.leastHeight else {
            return FrameSize(width: mode.width, height: mode.height)
        }
        return FrameSize(
            width: min(max(wish.width, leastWidth), mode.width), height: min(max(wish.height, leastHeight), mode.height)
        )
    }

    private static func rate(_ text: String) -> FrameRate? {
        let parts = text.split(separator: "/").compactMap { Int($0) }
        guard let first = parts.first, first > 0, parts.count < 3 else { return nil }
        return FrameRate(first, parts.count > 1 ? parts[1] : 1)
    }
}
