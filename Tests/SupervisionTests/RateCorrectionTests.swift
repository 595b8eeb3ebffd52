import BoxConfiguration
import MPEGTS
import MediaTypes
import TestSupport
import Testing

@testable import Supervision

/// Handovers because of the frame rate that arrives.
@Suite struct RateCorrectionTests {
    private func isNeeded(told: Int?, arriving: Int?, wanted: Int? = nil) -> Bool {
        RateCorrection.isNeeded(
            for: VideoEncoding(rate: wanted.map { FrameRate($0) }),
            told: told.map { FrameRate($0, 1) },
            rate: arriving.map { FrameRate($0, 1) })
    }

    @Test("another rate arrives than the encoder's -> a handover")
    func toldWrong() {
        #expect(isNeeded(told: 30, arriving: 15))
        #expect(isNeeded(told: 100, arriving: 4))
        #expect(isNeeded(told: 25, arriving: 50))
        #expect(!isNeeded(told: 30, arriving: 30))
        #expect(!isNeeded(told: 30, arriving: 28))
        #expect(!isNeeded(told: 15, arriving: nil))
    }

    @Test("an encoder started without a rate, and one is known -> a handover")
    func toldNothing() {
        #expect(isNeeded(told: nil, arriving: 15))
        #expect(isNeeded(told: nil, arriving: 30))
        #expect(!isNeeded(told: nil, arriving: nil))
    }

    @Test("a rate is converted -> no handover; a conversion is missing -> a handover")
    func converted() {
        #expect(!isNeeded(told: 60, arriving: 50, wanted: 30))
        #expect(!isNeeded(told: nil, arriving: 15, wanted: 30))
        #expect(isNeeded(told: 30, arriving: 15, wanted: 30))
    }

    @Test("an encoder takes every second frame, and the rate changes -> a handover")
    func bounded() {
        #expect(isNeeded(told: nil, arriving: 120))
        #expect(!isNeeded(told: 120, arriving: 120) && !isNeeded(told: 120, arriving: 119))
        #expect(isNeeded(told: 120, arriving: 30) && isNeeded(told: 30, arriving: 120))
    }
}
