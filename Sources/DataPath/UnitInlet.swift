package import TransportStream

/// Gives the access units of one source to its ``InletOwner``: an ``Inlet`` those that a process writes to a pipe, others
/// what they read themselves. It belongs to the data path's thread. Times are nanoseconds of the monotonic clock.
package protocol UnitInlet: AnyObject {
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
    func convertsSound(to format: AACFormat?) -> Bool
}

extension UnitInlet {
    package func convertsSound(to format: AACFormat?) -> Bool { false }
}

/// Puts the units of inlets to use.
package protocol InletOwner: AnyObject {
    func inlet(_ inlet: any UnitInlet, found program: Program)
    /// - Parameter now: When the bytes were read, in nanoseconds of the monotonic clock.
    func inlet(
        _ inlet: any UnitInlet, found unit: AccessUnit, in source: borrowing some UnitSource & ~Copyable, now: Int64)
    /// The next unit of video is a keyframe with other parameter sets than the one before. They may say the same.
    func inletBeginsFormat(_ inlet: any UnitInlet)
    /// Audio comes in a codec that a feed does not carry; `nil` once it is carried again.
    func inlet(_ inlet: any UnitInlet, hasForeignAudio codec: String?)
    /// Everything that was read has been passed on.
    ///
    /// - Parameter sawVideo: There was a picture in it.
    func inletPaused(_ inlet: any UnitInlet, sawVideo: Bool)
    func inletEnded(_ inlet: any UnitInlet)
}

extension InletOwner {
    package func inletBeginsFormat(_ inlet: any UnitInlet) {}
    package func inlet(_ inlet: any UnitInlet, hasForeignAudio codec: String?) {}
}
