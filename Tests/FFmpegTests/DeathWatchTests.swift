import Testing

@testable import FFmpeg

/// When a killed child is left to the kernel.
@Suite struct DeathWatchTests {
    /// When a child is left to the kernel, in tenths of a second. `nil` if it is waited for.
    private func abandoned(isUrgent: Bool = false, _ observation: (Int) -> DeathWatch.Observation) -> Int? {
        var watch = DeathWatch()
        return (1...100).first { watch.abandons(observation($0), after: .milliseconds(100 * $0), isUrgent: isUrgent) }
    }

    @Test("a child that waits in the kernel is left to it after a second")
    func stuck() {
        #expect(abandoned { _ in .waitsInKernel } == 10)
        #expect(abandoned { $0 == 1 ? .ends : .waitsInKernel } == 10)
    }

    @Test("a child that is slow to end is waited for up to eight seconds")
    func slow() {
        #expect(abandoned { $0 < 60 ? .ends : .ended } == nil)
        #expect(abandoned { _ in .ends } == 80)
    }

    @Test("a child that sometimes waits for a busy disk counts as slow")
    func busyDisk() {
        #expect(abandoned { $0.isMultiple(of: 8) ? .ends : .waitsInKernel } == 80)
        #expect(abandoned { $0 < 30 ? .ends : .waitsInKernel } == 40)
    }

    @Test("a child is waited for only a second if the service has no time left")
    func urgent() {
        #expect(abandoned(isUrgent: true) { _ in .ends } == 10)
        #expect(abandoned(isUrgent: true) { _ in .ended } == nil)
    }

    @Test("the state of a thread is read after its name, whatever the name is")
    func state() {
        #expect(DeathWatch.state(inStat: "42 (ffmpeg) D 1 42 42 0") == "D")
        #expect(DeathWatch.state(inStat: "42 (a) D (b) S 1 42 42 0") == "S")
        #expect(DeathWatch.state(inStat: "") == nil)
    }

    @Test("a process that does not exist does not wait in the kernel")
    func gone() { #expect(!DeathWatch.waitsInKernel(-1)) }
}
