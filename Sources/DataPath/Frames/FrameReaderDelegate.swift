/// Keeps the frames of a reader.
protocol FrameReaderDelegate: AnyObject {
    /// Returns memory for the next frame; `nil` when there is none.
    func takeMemory() -> FrameMemory?
    /// Called with each complete frame.
    ///
    /// - Parameters:
    ///   - time: In ticks.
    ///   - now: When its last bytes were read, in nanoseconds of the monotonic clock.
    func take(_ memory: FrameMemory, time: Int64, now: Int64)
    /// Called when no more frames come.
    ///
    /// - Parameter problem: Why the input cannot be read; `nil` when the sender has ended.
    func framesEnded(_ problem: String?)
}
