/// Values that system tests change, to reach in seconds what otherwise takes hours. The defaults are what the service
/// uses; only the hidden options of `streambox run` set others.
package struct TestHooks: Sendable {
    /// The time at which the timelines of channels begin, in ticks, for tests of the wrap.
    package var timelineStart: Int64?
    /// How long an encoder runs before a new process replaces it. `nil` for a day.
    package var encoderLifetime: Duration?
    /// How long a lowered preset stays lowered at first. `nil` for a minute.
    package var presetPause: Duration?
    /// The file in which the kernel counts the time of the processors.
    package var processorTimes = "/proc/stat"

    package init() {}
}
