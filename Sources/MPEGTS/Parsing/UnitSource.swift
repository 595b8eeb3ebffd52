/// The transport packets of one access unit, wherever they come from: a parser of MPEG-TS, or media that is packed
/// while it is copied.
package protocol UnitSource: ~Copyable {
    /// The program that the unit belongs to; `nil` before it is known.
    var program: Program? { get }
    /// What the newest parameter set of the video says; `nil` before the first.
    var videoFormat: VideoFormat? { get }
    /// What the audio is in that came last, or was announced to come; `nil` before it is known.
    var audioFormat: AACFormat? { get }

    /// Copies the packets of the unit: as many bytes as its ``AccessUnit/byteCount`` says. The ``FeedWriter`` rewrites
    /// PIDs, counters and timestamps.
    func copyUnit(to destination: UnsafeMutablePointer<UInt8>)
}

extension UnitParser: UnitSource {}
