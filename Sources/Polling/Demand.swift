import Synchronization

/// When what is on its way is wanted next: told by the one who gives it out, asked by those who take it in.
public final class Demand: Sendable {
    private let turn = Atomic<Int64>(0)
    private let pace = Atomic<Int64>(0)

    public init() {}

    /// It is wanted at a time in nanoseconds of the monotonic clock, and so many of them later again; as it comes, when that is 0.
    public func set(turn: Int64, pace: Int64) {
        self.turn.store(turn, ordering: .relaxed)
        self.pace.store(pace, ordering: .relaxed)
    }

    /// The first turn behind a time; the time itself, where everything is wanted as it comes.
    public func turn(after time: Int64) -> Int64 {
        let (turn, pace) = (turn.load(ordering: .relaxed), pace.load(ordering: .relaxed))
        guard pace > 0, turn <= time else { return max(turn, time) }
        return turn + ((time - turn) / pace + 1) * pace
    }
}
