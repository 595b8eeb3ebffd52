/// The queue of events of one supervised process.
///
/// It exists before the ``ProcessRunner`` that reads it, so that everything that reports to a process gets the queue
/// when it is made.
struct ProcessQueue: Supervised {
    enum Event: Sendable {
        case machine(ProcessMachine.Event)
        case finish
    }

    /// The events, for one ``ProcessRunner`` to read.
    let events: AsyncStream<Event>
    private let sender: AsyncStream<Event>.Continuation

    init() { (events, sender) = AsyncStream.makeStream() }

    func report(_ event: ProcessMachine.Event) { sender.yield(.machine(event)) }

    /// Ends the process and its runner.
    func finish() { sender.yield(.finish) }
}
