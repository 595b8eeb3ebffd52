package import MPEGTS

/// Uses the units of readers.
package protocol UnitReaderDelegate: AnyObject {
    func unitReader(_ unitReader: any UnitReader, found program: Program)
    /// - Parameter now: When the bytes were read, in nanoseconds of the monotonic clock.
    func unitReader(
        _ unitReader: any UnitReader, found unit: AccessUnit, in source: borrowing some UnitSource & ~Copyable,
        now: Int64)
    /// Called when the next unit of video is a keyframe with other parameter sets than before, with the same contents
    /// or others.
    func unitReaderBeganFormat(_ unitReader: any UnitReader)
    /// Called when audio comes that a feed does not carry, or when such audio changes; `nil` once a feed carries it
    /// again. The converters get nothing more.
    func unitReader(_ unitReader: any UnitReader, hasForeignAudio audio: ForeignAudio?)
    /// Called when everything that was read has been passed on.
    ///
    /// - Parameter sawVideo: It contained a video frame.
    func unitReaderPaused(_ unitReader: any UnitReader, sawVideo: Bool)
    func unitReaderEnded(_ unitReader: any UnitReader)
}

extension UnitReaderDelegate {
    package func unitReaderBeganFormat(_ unitReader: any UnitReader) {}
    package func unitReader(_ unitReader: any UnitReader, hasForeignAudio audio: ForeignAudio?) {}
}
