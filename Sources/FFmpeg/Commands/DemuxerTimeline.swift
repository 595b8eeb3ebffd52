/// How FFmpeg's MPEG-TS demultiplexer counts beyond 33 bits, so that a place on the wire can be named in its own time.
///
/// It takes 60 s before the first timestamp for the lowest. Later wraps are added to; but when the first one stands
/// within 60 s of the wrap, everything before the wrap becomes negative instead (libavformat/demux.c,
/// `update_wrap_reference` and `wrap_timestamp`; seen with 5.1.9).
package struct DemuxerTimeline: Sendable, Hashable {
    private static let wrap: Int64 = 1 << 33
    private static let margin: Int64 = 60 * 90_000

    private let lowest: Int64
    private let subtracts: Bool

    /// - Parameter first: The first decoding time that FFmpeg will read, in ticks; wraps in it are ignored.
    package init(first: Int64) {
        let first = first & (Self.wrap - 1)
        lowest = first - Self.margin
        subtracts = first >= Self.wrap - Self.margin
    }

    /// How long FFmpeg counts on without a jump; behind that the same times come again.
    package static let longest = Duration.seconds((1 << 33) / 90_000 - 120)

    /// FFmpeg's time for one of the stream's, in ticks; wraps in it are ignored.
    package func time(of ticks: Int64) -> Int64 {
        let ticks = ticks & (Self.wrap - 1)
        if subtracts { return ticks >= lowest ? ticks - Self.wrap : ticks }
        return ticks < lowest ? ticks + Self.wrap : ticks
    }
}
