import BoxConfiguration
package import CapabilityProbe
import EncoderSelection
import FFmpeg
package import MediaTypes

/// The mode that a card is opened with: the one nearest to the configuration.
package struct CaptureSetting: Sendable, Hashable, CustomStringConvertible {
    /// FFmpeg's name of the format. `nil` leaves it to FFmpeg.
    package var format: String?
    package var size: FrameSize?
    package var rate: FrameRate?
    /// The order of the fields in its frames. `nil` if they are progressive, or the driver does not say.
    package var fields: FieldOrder?
    /// Whether it differs from the configuration.
    package var isOther = false

    package var description: String {
        let words = [format, size.map { "\($0)" }, rate.map { "at \($0)" }, fields.map { _ in "interlaced" }]
        return words.compactMap { $0 }.joined(separator: " ")
    }

    /// The size of the frames that are read; an unknown size is scaled to the most common one.
    var frameSize: FrameSize { size ?? FrameSize(width: 1280, height: 720) }

    /// The V4L2 formats that FFmpeg reads, with its names. By preference: uncompressed formats cost the processor least
    /// and lose nothing.
    private static let formats = [
        "NV12": "nv12", "YUYV": "yuyv422", "UYVY": "uyvy422", "YU12": "yuv420p", "BGR3": "bgr24", "RGB3": "rgb24",
        "MJPG": "mjpeg", "JPEG": "mjpeg",
        "H264": "h264",
    ]
    private static let preference = ["NV12", "YU12", "YUYV", "UYVY", "BGR3", "RGB3", "MJPG", "JPEG", "H264"]
    /// Rates that differ by less count as the same, such as 59.94 and 60.
    private static let sameRate = 0.5
    /// Without a configured rate, a faster mode is used only if there is no other one that is fast enough.
    private static let fastest = 60.5
    /// Below this rate video does not look like motion; such a mode is used only if there is no other.
    private static let slowest = 23.5

    /// - Parameter format: V4L2's four letters.
    static func reads(_ format: String) -> Bool { formats[format] != nil }

    private struct Candidate {
        var mode: CaptureMode
        var rate: FrameRate?
        var pixels: Int { mode.width * mode.height }
        var perSecond: Double { rate.map { Double($0.numerator) / Double($0.denominator) } ?? 0 }
        /// 0 for a good rate, 1 for one that is faster than needed, 2 for one that is too slow.
        var pace: Int {
            guard rate != nil else { return 0 }
            return perSecond > fastest ? 1 : perSecond < slowest ? 2 : 0
        }
        /// Lower for a better rate: up to ``fastest`` a higher rate is better, and above it a lower one.
        var haste: Double { perSecond > fastest ? perSecond : -perSecond }
        var preference: Int { CaptureSetting.preference.firstIndex(of: mode.format) ?? .max }
    }

    /// - Parameters:
    ///   - modes: The modes that the card lists. `nil` or empty if its driver could not be asked.
    ///   - size: The configured size. `nil` for the best of the card.
    ///   - rate: The configured rate. `nil` for the best of the card.
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
            // Without a configured size, a card that scales to any size gives the signal at its input as it is.
            self.rate = rate
            return
        }
        self.size = Self.size(best.mode, size)
        self.rate = best.rate ?? rate
        let isOtherSize = size.map { $0 != self.size } ?? false
        isOther = isOtherSize || (best.rate != nil && wanted.map { abs($0 - best.perSecond) > 0.5 } ?? false)
    }

    /// Takes the values of the arriving signal where none is configured, and where the card cannot choose.
    package mutating func fill(from arriving: CardInput.Arriving) {
        let mode = arriving.mode
        let arrived = FrameSize(width: mode.width, height: mode.height)
        // A mode of the card's list scales to the configured size.
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
                // Without a configured size the configured rate decides.
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

    /// A card that scales gives any size between its smallest and its largest.
    private static func size(_ mode: CaptureMode, _ requested: FrameSize?) -> FrameSize {
        guard let requested, let leastWidth = mode.leastWidth, let leastHeight = mode.leastHeight else {
            return FrameSize(width: mode.width, height: mode.height)
        }
        return FrameSize(
            width: min(max(requested.width, leastWidth), mode.width),
            height: min(max(requested.height, leastHeight), mode.height)
        )
    }

    private static func rate(_ text: String) -> FrameRate? {
        let parts = text.split(separator: "/").compactMap { Int($0) }
        guard let first = parts.first, first > 0, parts.count < 3 else { return nil }
        return FrameRate(first, parts.count > 1 ? parts[1] : 1)
    }
}
