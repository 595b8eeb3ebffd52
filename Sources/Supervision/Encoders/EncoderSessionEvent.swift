import EncoderSelection
import FFmpeg

/// An event of a session's encoder.
enum EncoderSessionEvent: Sendable {
    /// The state of the machine changed.
    case stateChanged
    /// A planned handover is over. The successor writes the feed after this gap. `nil` if it ended before it took over.
    case settled(GroupMachine.Generation, after: Duration?)
    /// A generation writes the feed from now on.
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
    /// The encoder. `nil` if the video is copied.
    var encoder: EncoderCandidate?
    /// The reason for the end. `nil` if the process was asked to end.
    var cause: HandoverCause?
    var started: Timestamp
}
