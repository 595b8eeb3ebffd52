/// The time limits that differ between the encoder of a group and the encoder of a source.
struct EncoderPatience: Sendable {
    /// How long a process may take to end by itself after its input has ended.
    var endOfInput: Duration
    /// The extra time for a process that delivers nothing while it works or waits for a processor.
    var busy: Duration

    /// A feed keeps more than the busy time and the start of the next encoder together, so that no frame is lost.
    static let group = EncoderPatience(endOfInput: .milliseconds(2500), busy: .milliseconds(1500))
    /// The times are short: the next stream of frames waits for the end, and the store keeps little more than a second
    /// of large frames.
    static let mezzanine = EncoderPatience(endOfInput: .seconds(1), busy: .milliseconds(500))
}
