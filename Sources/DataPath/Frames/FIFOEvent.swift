/// An event of a FIFO.
package enum FIFOEvent: Sendable, Hashable {
    /// A program writes to the FIFO.
    case writer
    /// No program writes to the FIFO now.
    ///
    /// - Parameter missing: Bytes of the last frame that were not written.
    case gone(missing: Int)
}
