/// Takes audio for a process that converts it. It never waits: messages that the process does not take in time are
/// dropped. It belongs to the data path's thread.
package protocol AudioSink: AnyObject {
    /// The time of the first message for a process that continues another converter's audio, in ticks on the timeline
    /// of the source's units. The process gets the messages from this time on that have already come. `nil` where it
    /// begins with the next message.
    var replayStart: Int64? { get }
    /// Computes the process's timestamp of the next message.
    ///
    /// - Parameter time: The presentation time of the message, in ticks on the timeline of the source's units.
    /// - Returns: Milliseconds from the first message on.
    func stamp(_ time: Int64) -> UInt32
    /// Gives a message in three pieces that follow each other, all of them or none.
    func give(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer)
}
