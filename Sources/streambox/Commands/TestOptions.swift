import ArgumentParser
import Supervision

/// Hidden options of `streambox run` with which tests reach in seconds what otherwise takes hours. The defaults are
/// those of the service; ``TestHooks`` says what each value does.
struct TestOptions: ParsableArguments {
    @Option(help: "Where timelines begin, in seconds: tests of the wrap use a value just below 95443.7 s.")
    var timelineStart: Double?

    @Option(help: "After how many seconds a new process replaces an encoder.")
    var encoderLifetime: Double?

    @Option(help: "After how many seconds a lowered preset is raised.")
    var presetPause: Double?

    @Option(help: "The file that is read in place of /proc/stat, for tests on a busy machine.")
    var processorTimes: String?

    var hooks: TestHooks {
        var hooks = TestHooks()
        hooks.timelineStart = timelineStart.map { Int64($0 * 90_000) }
        hooks.encoderLifetime = encoderLifetime.map { .seconds($0) }
        hooks.presetPause = presetPause.map { .seconds($0) }
        if let processorTimes { hooks.processorTimes = processorTimes }
        return hooks
    }
}
