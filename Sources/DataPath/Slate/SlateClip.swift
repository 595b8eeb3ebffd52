package import MPEGTS
package import MediaTypes

/// A short transport stream that is played in a loop. It begins with a keyframe, has
/// its frames in presentation order, and has no audio.
package struct SlateClip: Sendable {
    let bytes: [UInt8]
    /// Number of frames.
    package let frames: Int
    package let rate: FrameRate
    package let format: VideoFormat

    /// The reason for bytes that are not a clip.
    package struct Unsuitable: Error, Sendable, Hashable, CustomStringConvertible {
        package var description: String
    }

    /// Most bytes of a clip. A still image takes a hundredth of it.
    package static let mostBytes = 8 << 20

    /// - Parameter rate: Frames per second.
    /// - Throws: ``Unsuitable``
    package init(_ bytes: [UInt8], rate: FrameRate) throws(Unsuitable) {
        guard bytes.count <= Self.mostBytes else { throw Unsuitable(description: "the clip has \(bytes.count) bytes") }
        var frames = 0
        var format: VideoFormat?
        var last: Int64?
        var reader = SlateReader(bytes)
        while let unit = reader.next() {
            guard frames > 0 || unit.isKeyframe else {
                throw Unsuitable(description: "the clip does not begin with a keyframe")
            }
            guard last.map({ unit.dts > $0 }) ?? true, unit.pts == unit.dts else {
                throw Unsuitable(description: "the clip's frames are not in order")
            }
            last = unit.dts
            frames += 1
            format = format ?? reader.parser.videoFormat
        }
        guard let format, frames > 1 else { throw Unsuitable(description: "the clip has no frames") }
        self.bytes = bytes
        self.frames = frames
        self.rate = rate
        self.format = format
    }

    /// Ticks from the first frame to that of the next round.
    var duration: Int64 { time(of: frames) }

    /// The duration of this many frames, in nanoseconds or ticks by the unit of `perSecond`.
    func time(of frames: Int, perSecond: Int64 = Ticks.perSecond) -> Int64 {
        let (quotient, remainder) = Int64(rate.numerator).dividingFullWidth(
            (Int64(frames) * Int64(rate.denominator)).multipliedFullWidth(by: perSecond))
        return remainder * 2 >= Int64(rate.numerator) ? quotient + 1 : quotient
    }
}
