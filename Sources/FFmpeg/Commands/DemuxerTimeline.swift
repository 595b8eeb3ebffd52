/// Converts 33-bit timestamps of a stream to the timestamps that FFmpeg's MPEG-TS demuxer makes of them.
///
/// The demuxer treats the time 60 s before the first timestamp as the lowest. It adds to the timestamps after a wrap.
/// If the first timestamp is within 60 s of the wrap, it makes every timestamp before the wrap negative instead
/// (libavformat/demux.c, `update_wrap_reference` and `wrap_timestamp`; seen with 5.1.9).
package struct DemuxerTimeline: Sendable, Hashable {
    private static let wrap: Int64 = 1 << 33
    private static let margin: Int64 = 60 * 90_000

    private let lowest: Int64
    private let subtracts: Bool

    /// - Parameter first: The first decoding time that FFmpeg will read, in ticks. Wraps in it are ignored.
    package init(first: Int64) {
        let first = first & (Self.wrap - 1)
        lowest = first - Self.margin
        subtracts = first >= Self.wrap - Self.margin
    }

    /// How long FFmpeg's timestamps increase without a jump. After that the same timestamps occur again.
    package static let longest = Duration.seconds((1 << 33) / 90_000 - 120)

    /// FFmpeg's timestamp for a timestamp of the stream, in ticks. Wraps in it are ignored.
    package func time(of ticks: Int64) -> Int64 {
        let ticks = ticks & (Self.wrap - 1)
        if subtracts { return ticks >= lowest ? ticks - Self.wrap : ticks }
        return ticks < lowest ? ticks + Self.wrap : ticks
    }
}
