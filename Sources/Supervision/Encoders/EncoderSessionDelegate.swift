/// The decisions that differ between the encoder of a group and the encoder of a mezzanine.
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
