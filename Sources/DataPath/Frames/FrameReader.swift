/// Where the frames of a source come from.
protocol FrameReader: AnyObject {
    /// Leaves what comes where it is, until ``resume()``.
    func pause()
    func resume()
    func close()
}

/// Whoever keeps the frames of an inlet.
protocol FrameReaderDelegate: AnyObject {
    /// Room for the next frame; `nil` when there is none.
    func room() -> FrameMemory?
    /// A frame is whole.
    ///
    /// - Parameters:
    ///   - time: In ticks.
    ///   - now: When its last bytes were read, in nanoseconds of the monotonic clock.
    func take(_ memory: FrameMemory, time: Int64, now: Int64)
    /// No more come.
    ///
    /// - Parameter problem: What was wrong with them; `nil` when whoever sent them has ended.
    func framesEnded(_ problem: String?)
}
