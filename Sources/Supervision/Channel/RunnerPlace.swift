import SystemSupport

/// A slot for runners, and the runner that is in it.
struct RunnerPlace<Runner: Runnable> {
    private(set) var runner: Runner
    let slot: RunnerSlot<Runner>

    init(_ runner: Runner) {
        self.runner = runner
        slot = RunnerSlot(runner)
    }

    /// Has another runner follow once the one in the slot has ended.
    mutating func replace(with next: Runner) {
        runner.finish()
        slot.follow(with: next)
        runner = next
    }

    func end() {
        runner.finish()
        slot.close()
    }
}
