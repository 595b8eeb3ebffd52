import EncoderSelection
import FFmpeg
import SystemPackage

/// What a group and a mezzanine do differently with their encoder.
///
/// All functions run on the session's actor, so a delegate needs no lock.
protocol EncoderSessionDelegate: AnyObject, SendableMetatype {
    /// An event of the delegate's own that comes through the session's queue.
    associatedtype Request: Sendable
    typealias Session = EncoderSession<Self>

    /// Called once, before the first event.
    func begin(in session: isolated Session, _ tasks: inout DiscardingTaskGroup)
    /// Makes a generation's command and pipes.
    ///
    /// - Returns: `nil` if there is nothing to run, after logging why.
    func prepare(
        _ generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning, in session: isolated Session
    ) async throws -> EncoderGeneration.Ready?
    /// Handles a request in its turn among the events.
    func handle(_ request: Request, in session: isolated Session, _ tasks: inout DiscardingTaskGroup)
    /// Decides what to do about an encoder that gives fewer frames than it is sent.
    func isTooSlow(
        _ generation: GroupMachine.Generation, in session: isolated Session, _ tasks: inout DiscardingTaskGroup)
    /// Records an event, or reacts to it with requests.
    func note(_ event: EncoderSessionEvent, in session: isolated Session)
    /// Called after the last event.
    ///
    /// - Parameter requests: The requests that the session did not handle, because it ended first.
    func end(in session: isolated Session, leaving requests: [Request])
}

/// What happens to the encoder of a session.
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
