import Synchronization
import TestSupport

/// Counts the frames of a repeated source that arrive at many targets.
final class TargetFrames: Sendable {
    struct Count: Sendable {
        /// The index of the last frame among the source's.
        var last: Int
        var received = 1
        /// The frames that are missing between others.
        var lost = 0
        /// The frames that came again.
        var repeated = 0
        /// The frames of something else after the source's first.
        var foreign = 0
        /// When the last frame came.
        var arrival: ContinuousClock.Instant
    }

    private let identity: FrameIdentity
    /// By the index of the connection.
    private let counts = Mutex<[Int: Count]>([:])

    init(_ identity: FrameIdentity) { self.identity = identity }

    /// The counts of the targets that have a frame of the source.
    var all: [Count] { counts.withLock { Array($0.values) } }

    /// Counts a message that arrived at a target.
    func take(_ message: StubMessage, of connection: Int) {
        guard let tag = message.tag, tag.isFrame else { return }
        let index = identity.index(of: tag)
        counts.withLock { counts in
            guard let index else {
                counts[connection]?.foreign += 1
                return
            }
            guard let last = counts[connection]?.last else {
                counts[connection] = Count(last: index, arrival: message.arrival)
                return
            }
            counts[connection]?.arrival = message.arrival
            let step = (index - last + identity.count) % identity.count
            // Frames come in the order in which they were sent, so a long way forward is a short way back.
            if step == 0 || step > identity.count / 2 {
                counts[connection]?.repeated += 1
            } else {
                counts[connection]?.received += 1
                counts[connection]?.lost += step - 1
                counts[connection]?.last = index
            }
        }
    }
}
