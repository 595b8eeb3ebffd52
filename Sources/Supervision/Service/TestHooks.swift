/// Values that system tests change, to reach in seconds what otherwise takes hours. The defaults are what the service
/// uses; only the hidden options of `streambox run` set others.
package struct TestHooks: Sendable {
    /// Where the timelines of channels begin, in ticks; for tests of the wrap.
    package var timelineStart: Int64?
    /// How long an encoder runs before a new process replaces it, where that is less than a day.
    package var encoderLifetime: Duration?
    /// How long a lowered preset stays lowered at first, where that is less than a minute.
    package var presetPause: Duration?
    /// The file in which the kernel counts the time of the processors.
    package var processorTimes = "/proc/stat"

    package init() {}
}
