/// The decisions that differ between the encoder of a group and the encoder of a mezzanine.
///
/// All functions run on the session's actor, so a delegate needs no lock.
protocol EncoderSessionDelegate: AnyObject, SendableMetatype {
    /// An event of the delegate's own that comes through the session's queue.
    associatedtype Request: Sendable
    typealias Session = EncoderSession<Self>

    /// Called once, before the first event.
    func begin(in session: isolated Session, _ tasks: inout DiscardingTaskGroup)
    /// Makes the command and the pipes of a generation.
    ///
    /// - Returns: `nil` if no process can be run. The delegate has then logged the reason.
    func prepare(
        _ generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning, in session: isolated Session
    ) async throws -> EncoderGeneration.Ready?
    /// Handles a request, which comes through the same queue as the events.
    func handle(_ request: Request, in session: isolated Session, _ tasks: inout DiscardingTaskGroup)
    /// Decides what to do about an encoder that delivers fewer frames than it receives.
    func isTooSlow(
        _ generation: GroupMachine.Generation, in session: isolated Session, _ tasks: inout DiscardingTaskGroup)
    /// Records an event, or reacts to it with requests.
    func note(_ event: EncoderSessionEvent, in session: isolated Session)
    /// Called after the last event.
    ///
    /// - Parameter requests: The requests that the session did not handle, because it ended first.
    func end(in session: isolated Session, leaving requests: [Request])
}
