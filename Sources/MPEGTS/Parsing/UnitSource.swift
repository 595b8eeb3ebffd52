/// Provides the transport packets of one access unit: a parser of MPEG-TS, or media that is packed while it is copied.
package protocol UnitSource: ~Copyable {
    /// The program that the unit belongs to; `nil` before it is known.
    var program: Program? { get }
    /// The format in the newest parameter set of the video; `nil` before the first.
    var videoFormat: VideoFormat? { get }
    /// The format of the newest audio, or of announced audio; `nil` before it is known.
    var audioFormat: AACFormat? { get }

    /// Copies the packets of the unit: ``AccessUnit/byteCount`` bytes. The ``FeedWriter`` then sets PIDs, counters and
    /// timestamps.
    func copyUnit(to destination: UnsafeMutablePointer<UInt8>)
}

extension UnitParser: UnitSource {}
