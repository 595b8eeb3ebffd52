/// The time limits that differ between the encoder of a group and the encoder of a source.
struct EncoderPatience: Sendable {
    /// How long a process may take to end by itself after its input has ended.
    var endOfInput: Duration
    /// The extra time for a process that delivers nothing although it works, or that waits for a processor.
    var busy: Duration

    /// A feed keeps more than this extra time and the start of the next encoder take, so no frame is lost.
    static let group = EncoderPatience(endOfInput: .milliseconds(2500), busy: .milliseconds(1500))
    /// The next stream of frames begins after the end of this process, and the store of frames holds little more than a
    /// second of large frames.
    static let mezzanine = EncoderPatience(endOfInput: .seconds(1), busy: .milliseconds(500))
}
