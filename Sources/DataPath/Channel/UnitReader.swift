package import MPEGTS

/// Gives the access units of one source to its ``UnitReaderDelegate``: an ``PipeReader`` those that a process writes to
/// a pipe, others what they read themselves. It belongs to the data path's thread. Times are nanoseconds of the
/// monotonic clock.
package protocol UnitReader: AnyObject {
    /// Keeps the unit that the owner is being given, and what is behind it: the owner gets it once more after
    /// ``release()``.
    func keep()
    /// Leaves what comes where it waits, and in the end the sender waiting.
    func hold()
    /// Takes what waits, and what comes.
    func release()
    /// Leaves what comes where it waits until a time: no reader of the channel wants it before. A sender that gives
    /// much is read as it sends.
    func rest(until time: Int64)
    /// Gives the owner nothing more until a time.
    func wait(until time: Int64)
    /// Something that has come has to wait before the owner gets it.
    var isBehind: Bool { get }
    /// Takes what a sender that has ended left; where it is ahead of real time, no more than may come now.
    func drain()
    /// Ends without telling the owner.
    func close()
    /// The channel's sound has one format from now on: AAC of another is audio that a feed does not carry, and is to be
    /// converted to this one. `nil` takes all that a feed carries.
    ///
    /// - Returns: Whether it sees to that; `false` where it gives whatever comes, and the owner looks itself.
    func convertsAudio(to format: AACFormat?) -> Bool
    /// Has audio that a feed does not carry given to a process that converts it, beside those that are given it
    /// already: first what a decoder has to know, and what came last where it continues another one's. Without any such
    /// process the audio is dropped. What comes of it does not come through here.
    func addConverter(_ converter: any AudioSink)
    /// Gives a process nothing more.
    func removeConverter(_ converter: any AudioSink)
}

extension UnitReader {
    package func convertsAudio(to format: AACFormat?) -> Bool { false }
    package func addConverter(_ converter: any AudioSink) {}
    package func removeConverter(_ converter: any AudioSink) {}
}

/// Takes audio for a process that converts it. It never waits: what the process does not take in time is dropped,
/// message by message. It belongs to the data path's thread.
package protocol AudioSink: AnyObject {
    /// The process continues what another one converted: of the messages that have come already it is to be given those
    /// from this time on, in ticks on the timeline of the source's units. `nil` where it begins with what comes next.
    var replayStart: Int64? { get }
    /// When the process is to have the next message.
    ///
    /// - Parameter time: When it is to be heard, in ticks on the timeline of the source's units.
    /// - Returns: Milliseconds from the first message on.
    func stamp(_ time: Int64) -> UInt32
    /// Gives a message in pieces that follow each other, all of them or none.
    func give(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer)
}

/// Audio that a feed does not carry as it comes.
package struct ForeignAudio: Sendable, Hashable {
    /// For people: `MP3`.
    package var name: String
    /// FFmpeg's name of the codec; `nil` where FFmpeg cannot be given it.
    package var codec: String?
    /// What comes, as the beginning of a sentence: `its audio is MP3`.
    package var statement: String
    /// Several tracks come at once, of which none can be used.
    package var isSeveralTracks: Bool

    /// - Parameter statement: `nil` for that of a codec with a name.
    package init(name: String, codec: String?, statement: String? = nil, isSeveralTracks: Bool = false) {
        self.name = name
        self.codec = codec
        self.statement = statement ?? "its audio is \(name)"
        self.isSeveralTracks = isSeveralTracks
    }
}

/// Puts the units of inlets to use.
package protocol UnitReaderDelegate: AnyObject {
    func unitReader(_ unitReader: any UnitReader, found program: Program)
    /// - Parameter now: When the bytes were read, in nanoseconds of the monotonic clock.
    func unitReader(
        _ unitReader: any UnitReader, found unit: AccessUnit, in source: borrowing some UnitSource & ~Copyable,
        now: Int64)
    /// The next unit of video is a keyframe with other parameter sets than the one before. They may say the same.
    func unitReaderBeganFormat(_ unitReader: any UnitReader)
    /// Audio comes that a feed does not carry, or other such audio than before; `nil` once it is carried again. What
    /// converted it is given nothing more.
    func unitReader(_ unitReader: any UnitReader, hasForeignAudio audio: ForeignAudio?)
    /// Everything that was read has been passed on.
    ///
    /// - Parameter sawVideo: There was a picture in it.
    func unitReaderPaused(_ unitReader: any UnitReader, sawVideo: Bool)
    func unitReaderEnded(_ unitReader: any UnitReader)
}

extension UnitReaderDelegate {
    package func unitReaderBeganFormat(_ unitReader: any UnitReader) {}
    package func unitReader(_ unitReader: any UnitReader, hasForeignAudio audio: ForeignAudio?) {}
}
