import SystemSupport

/// The place of a source, group or target in its channel, and the runner that serves it now.
struct RunnerPlace<Runner: Runnable> {
    private(set) var runner: Runner
    let slot: RunnerSlot<Runner>

    init(_ runner: Runner) {
        self.runner = runner
        slot = RunnerSlot(runner)
    }

    /// Ends the runner, and has another one follow once it has ended.
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
