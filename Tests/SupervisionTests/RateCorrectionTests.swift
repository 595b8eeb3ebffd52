import BoxConfiguration
import MPEGTS
import MediaTypes
import TestSupport
import Testing

@testable import Supervision

/// Which encoders are handed over because of the frame rate that arrives.
@Suite struct RateCorrectionTests {
    private func isNeeded(told: Int?, arriving: Int?, wanted: Int? = nil) -> Bool {
        RateCorrection.isNeeded(
            for: VideoEncoding(frameRate: wanted.map { FrameRate($0) }),
            told: told.map { FrameRate($0, 1) },
            rate: arriving.map { FrameRate($0, 1) })
    }

    @Test("an encoder that was started for another frame rate is handed over")
    func toldWrong() {
        #expect(isNeeded(told: 30, arriving: 15))
        #expect(isNeeded(told: 100, arriving: 4))
        #expect(isNeeded(told: 25, arriving: 50))
        #expect(!isNeeded(told: 30, arriving: 30))
        #expect(!isNeeded(told: 30, arriving: 28))
        #expect(!isNeeded(told: 15, arriving: nil))
    }

    @Test("an encoder without a frame rate is handed over when the rate is known")
    func toldNothing() {
        #expect(isNeeded(told: nil, arriving: 15))
        #expect(isNeeded(told: nil, arriving: 30))
        #expect(!isNeeded(told: nil, arriving: nil))
    }

    @Test("an encoder that converts the frame rate is kept; one that should is handed over")
    func converted() {
        #expect(!isNeeded(told: 60, arriving: 50, wanted: 30))
        #expect(!isNeeded(told: nil, arriving: 15, wanted: 30))
        #expect(isNeeded(told: 30, arriving: 15, wanted: 30))
    }

    @Test("an encoder of every second frame is handed over when another rate arrives")
    func bounded() {
        #expect(isNeeded(told: nil, arriving: 120))
        #expect(!isNeeded(told: 120, arriving: 120) && !isNeeded(told: 120, arriving: 119))
        #expect(isNeeded(told: 120, arriving: 30) && isNeeded(told: 30, arriving: 120))
    }
}
