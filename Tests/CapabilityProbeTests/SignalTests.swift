import CLinux
import Testing

@testable import CapabilityProbe

/// Whether the signal at an HDMI input has changed.
@Suite struct SignalTests {
    /// - Parameter front: Pixels after each line, which distinguish 50 from 60 frames a second.
    private func signal(_ width: UInt32, _ height: UInt32, front: UInt32, clock: UInt64 = 148_500_000)
        -> V4L2Node.Signal
    {
        var timings = v4l2_dv_timings()
        (timings.bt.width, timings.bt.height, timings.bt.pixelclock) = (width, height, clock)
        (timings.bt.hfrontporch, timings.bt.hsync, timings.bt.hbackporch) = (front, 44, 148)
        (timings.bt.vfrontporch, timings.bt.vsync, timings.bt.vbackporch) = (4, 5, 36)
        return V4L2Node.Signal(timings)
    }

    @Test("1080p50 and 1080p60 with the same size and clock are two signals")
    func rates() {
        #expect(!signal(1920, 1080, front: 88).isSame(as: signal(1920, 1080, front: 528)))
    }

    @Test("a clock measured again or rounded by the driver is the same signal")
    func clocks() {
        let first = signal(1920, 1080, front: 88)
        #expect(first.isSame(as: signal(1920, 1080, front: 88, clock: 148_351_648)))
        #expect(!first.isSame(as: signal(1920, 1080, front: 88, clock: 148_200_000)))
        #expect(!first.isSame(as: signal(1280, 720, front: 88)))
    }
}
