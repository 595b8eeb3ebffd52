import FoundationEssentials
import NIOCore
import Status

/// Sends the events of the last second to every listener, each second. A listener that does not keep up is dropped.
actor EventStreams {
    static let mediaType = "text/event-stream"

    private let status: SharedStatus
    private let limits: ServerLimits
    private var listeners: [Int: Listener] = [:]
    private var lastNumber = 0
    private var isEnding = false
    private var before: BoxSnapshot?
    private let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    private struct Listener {
        let queue: AsyncStream<ByteBuffer>.Continuation
        let channel: any Channel
        /// Whether nothing has been sent to it.
        var isNew = true
    }

    /// The events of one listener, until it ends.
    struct Subscription {
        let number: Int
        let pieces: AsyncStream<ByteBuffer>
    }

    private static let period = Duration.seconds(1)

    init(status: SharedStatus, limits: ServerLimits) {
        self.status = status
        self.limits = limits
        (arrivals, arrival) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// - Parameter channel: Closed when its client does not keep up.
    /// - Returns: `nil` if there are too many listeners.
    func listen(_ channel: any Channel) -> Subscription? {
        guard !isEnding, listeners.count < limits.listeners else { return nil }
        let (pieces, queue) = AsyncStream<ByteBuffer>.makeStream(
            bufferingPolicy: .bufferingOldest(limits.listenerQueue))
        lastNumber += 1
        listeners[lastNumber] = Listener(queue: queue, channel: channel)
        arrival.yield()
        return Subscription(number: lastNumber, pieces: pieces)
    }

    func leave(_ subscription: Subscription) { listeners[subscription.number] = nil }

    /// Runs until the task is cancelled.
    func run() async {
        for await _ in arrivals {
            while !listeners.isEmpty, !Task.isCancelled {
                await sendEvents()
                try? await ContinuousClock().sleep(for: Self.period)
            }
            before = nil
        }
    }

    /// Sends every listener that the service ends, and waits until the listeners have read it.
    func end(within limit: Duration) async {
        isEnding = true
        let piece = Self.piece([.stopping])
        for listener in listeners.values {
            listener.queue.yield(piece)
            listener.queue.finish()
        }
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        while !listeners.isEmpty, clock.now < deadline { try? await clock.sleep(for: .milliseconds(10)) }
    }

    private func sendEvents() async {
        guard let now = await status.snapshot(within: limits.snapshot) else {
            return send { _ in ByteBuffer(string: ": the supervisor does not answer\n\n") }
        }
        let news = Self.piece(StatusEvents.between(before, now))
        let everything = listeners.values.contains { $0.isNew } ? Self.piece(StatusEvents.between(nil, now)) : nil
        before = now
        send { $0 ? everything : news }
    }

    private func send(_ piece: (_ isNew: Bool) -> ByteBuffer?) {
        for (number, listener) in listeners {
            guard let piece = piece(listener.isNew) else { continue }
            listeners[number]?.isNew = false
            guard case .dropped = listener.queue.yield(piece) else { continue }
            listeners[number] = nil
            listener.queue.finish()
            listener.channel.close(promise: nil)
        }
    }

    private static func piece(_ events: [StatusEvent]) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var piece = ByteBuffer()
        for event in events {
            guard let body = try? encoder.encode(event.body) else { continue }
            piece.writeString("event: \(event.name)\ndata: ")
            piece.writeBytes(body)
            piece.writeString("\n\n")
        }
        return piece
    }
}
