import EncoderSelection
import FFmpeg

/// An event of a session's encoder.
enum EncoderSessionEvent: Sendable {
    /// The state of the machine changed.
    case stateChanged
    /// The successor has the output after this gap; `nil` if it ended before.
    case settled(GroupMachine.Generation, after: Duration?)
    /// A generation has the output from now on.
    case promoted(GroupMachine.Generation)
    /// The encoder was too slow, and keeps up again.
    case keepsUp
    /// The first frame after a handover arrived.
    case handedOver(HandoverCause, gap: Duration)
    /// A process ended.
    case ended(EncoderEnd)
}

/// The end of one generation's process.
struct EncoderEnd: Sendable {
    var exit: ChildExit
    /// `nil` where the video is copied.
    var encoder: EncoderCandidate?
    /// `nil` for an end that was asked for.
    var cause: HandoverCause?
    var started: Timestamp
}
