import MPEGTS

/// Uses the encoded frames and the audio of a stream.
protocol FrameStreamOwner: AnyObject {
    /// Called when an uncompressed frame has come.
    func stream(_ stream: FrameStream, hasFrame now: Int64)
    /// Called with each complete unit, in order.
    ///
    /// - Parameter isNew: The unit is the first of another encoder.
    func stream(
        _ stream: FrameStream, found unit: AccessUnit, in parser: borrowing some UnitSource & ~Copyable,
        program: Program, isNew: Bool, now: Int64)
    /// Called when everything that was read has been passed on.
    func streamPaused(_ stream: FrameStream, sawVideo: Bool)
    /// Called when this many frames came in that will not come out encoded.
    func stream(_ stream: FrameStream, hasLost count: Int)
    func stream(_ stream: FrameStream, isUnreadable problem: String)
    /// Called when the input has ended and the last frame has come out encoded.
    func streamEnded(_ stream: FrameStream)
}
