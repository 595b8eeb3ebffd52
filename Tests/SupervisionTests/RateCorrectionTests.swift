import BoxConfiguration
import MPEGTS
import MediaTypes
import TestSupport
import Testing

@testable import Supervision

/// Which encoders are handed over because of the frame rate that arrives.
@Suite struct RateCorrectionTests {
    private func isNeeded(startedWith known: Int?, arriving: Int?, wanted: Int? = nil) -> Bool {
        RateCorrection.isNeeded(
            for: VideoEncoding(frameRate: wanted.map { FrameRate($0) }),
            startedWith: known.map { FrameRate($0, 1) },
            arriving: arriving.map { FrameRate($0, 1) })
    }

    @Test("an encoder that was started for another frame rate is handed over")
    func startedWithAnotherRate() {
        #expect(isNeeded(startedWith: 30, arriving: 15))
        #expect(isNeeded(startedWith: 100, arriving: 4))
        #expect(isNeeded(startedWith: 25, arriving: 50))
        #expect(!isNeeded(startedWith: 30, arriving: 30))
        #expect(!isNeeded(startedWith: 30, arriving: 28))
        #expect(!isNeeded(startedWith: 15, arriving: nil))
    }

    @Test("an encoder without a frame rate is handed over when the rate is known")
    func startedWithoutRate() {
        #expect(isNeeded(startedWith: nil, arriving: 15))
        #expect(isNeeded(startedWith: nil, arriving: 30))
        #expect(!isNeeded(startedWith: nil, arriving: nil))
    }

    @Test("an encoder that converts the frame rate is kept; one that should is handed over")
    func converted() {
        #expect(!isNeeded(startedWith: 60, arriving: 50, wanted: 30))
        #expect(!isNeeded(startedWith: nil, arriving: 15, wanted: 30))
        #expect(isNeeded(startedWith: 30, arriving: 15, wanted: 30))
    }

    @Test("an encoder of every second frame is handed over when another rate arrives")
    func bounded() {
        #expect(isNeeded(startedWith: nil, arriving: 120))
        #expect(!isNeeded(startedWith: 120, arriving: 120) && !isNeeded(startedWith: 120, arriving: 119))
        #expect(isNeeded(startedWith: 120, arriving: 30) && isNeeded(startedWith: 30, arriving: 120))
    }
}
