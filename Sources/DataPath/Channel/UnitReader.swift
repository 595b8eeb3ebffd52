package import MPEGTS

/// Gives the access units of one source to its ``UnitReaderDelegate``. A ``PipeReader`` reads those that a process
/// writes to a pipe; others read a connection themselves. A reader belongs to the data path's thread. Times are
/// nanoseconds of the monotonic clock.
package protocol UnitReader: AnyObject {
    /// Keeps the unit that the delegate gets at present, and the input behind it. The delegate gets the unit once more
    /// after ``release()``.
    func keep()
    /// Leaves new input unread. In the end the sender has to wait.
    func hold()
    /// Reads the input that waits, and new input.
    func release()
    /// Leaves new input unread until a time: no reader of the channel wants it before. A sender that sends much is read
    /// as it sends.
    func rest(until time: Int64)
    /// Gives the delegate nothing more until a time.
    func wait(until time: Int64)
    /// Whether input that has arrived has to wait before the delegate gets it.
    var isBehind: Bool { get }
    /// Reads the input that a sender left when it ended. Where the source is ahead of real time, it reads no more than
    /// may come now.
    func drain()
    /// Ends without a call of the delegate.
    func close()
    /// Sets the one format of the channel's audio. AAC of another format then counts as audio that a feed does not
    /// carry, and has to be converted to this one. `nil` accepts all audio that a feed carries.
    ///
    /// - Returns: Whether the reader checks the format. Where it returns `false`, the delegate has to check it.
    func convertsAudio(to format: AACFormat?) -> Bool
    /// Gives audio that a feed does not carry to a process that converts it, beside those that already get it. The
    /// process first gets the decoder's configuration, and the newest audio where it continues another converter's.
    /// Without any such process the audio is dropped. The converted audio does not come through this reader.
    func addConverter(_ converter: any AudioSink)
    /// Gives a process nothing more.
    func removeConverter(_ converter: any AudioSink)
}

extension UnitReader {
    package func convertsAudio(to format: AACFormat?) -> Bool { false }
    package func addConverter(_ converter: any AudioSink) {}
    package func removeConverter(_ converter: any AudioSink) {}
}
