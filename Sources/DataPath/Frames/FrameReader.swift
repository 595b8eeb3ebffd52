/// Reads the uncompressed frames of a source.
protocol FrameReader: AnyObject {
    /// Leaves new input unread, until ``resume()``.
    func pause()
    func resume()
    func close()
}
