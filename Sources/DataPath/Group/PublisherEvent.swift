/// An event of a publisher.
package enum PublisherEvent: Sendable, Hashable {
    /// Input waits, and the publisher takes nothing.
    case stalled
    /// The publisher takes its input again.
    case recovered
    /// The publisher takes less than the stream. The share is the part that reaches it, from 0 to less than 1. Reported
    /// again when it changes.
    case slow(share: Double)
    /// For half a minute, everything has reached the publisher.
    case complete
    /// The publisher closed its input, or the codecs changed. Its pipe is closed.
    case ended
}
