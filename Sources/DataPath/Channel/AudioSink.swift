/// Takes audio for a process that converts it. It never waits: messages that the process does not take in time are
/// dropped. It belongs to the data path's thread.
package protocol AudioSink: AnyObject {
    /// The presentation time from which a process needs messages that continues the audio of an earlier converter, in
    /// ticks of 1/90000 s of the source's access units. Messages that arrived earlier and have this time or a later one
    /// are sent to it again. `nil` if the process begins with the next message.
    var replayStart: Int64? { get }
    /// Returns the timestamp to write into the next message: the process counts from its own first message.
    ///
    /// - Parameter time: The presentation time of the message, in ticks of 1/90000 s of the source's access units.
    /// - Returns: Milliseconds from the process's first message.
    func timestamp(forMessageAt time: Int64) -> UInt32
    /// Writes a message as an FLV tag: the tag's header, its body, and the size that ends it. Writes all three or none.
    func write(_ tagHeader: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ tagEnd: UnsafeRawBufferPointer)
}
