/// An event of the process that converts a source's audio.
package enum AudioConverterEvent: Sendable, Hashable {
    /// The first audio that continues the audio before has come, or the process gives audio again.
    case delivering
    /// The process gave audio before, gets audio, and has given none for a while. Start another process beside it. The
    /// one that gives audio first continues.
    case late
    /// The process was late, and the one that was started beside it continues. This one is no longer used.
    case replaced
    /// The late process gives audio again. This one, which was started beside it, is not used.
    case unneeded
    /// The process got audio for as long as its patience, and gave none.
    case stalled
    /// The process's output does not have the present format of the channel's audio. Replace the process.
    case outdated
    /// This many messages of audio were dropped, because the process did not take them in time.
    case dropped(Int)
}
