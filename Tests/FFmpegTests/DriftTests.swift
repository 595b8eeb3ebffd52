import FFmpeg
import TestSupport
import Testing

/// Audio and video of a card with clocks of their own.
@Suite struct DriftTests {
    @Test(
        "audio with a clock off by a thousandth stays in place only with clock following"
    )
    func drift() async throws {
        try await withTemporaryFolder { folder in
            let followed = try await DriftingAudio.offsets(
                seconds: 60, rate: 48_048, filter: "aresample=48000:\(AudioTreatment.clockFollowing)", in: folder)
            #expect(followed.count > 50 && followed.allSatisfy { abs($0) < 0.02 }, "\(followed)")
            let left = try await DriftingAudio.offsets(seconds: 60, rate: 48_048, filter: "asetpts=N/SR/TB", in: folder)
            #expect(left.contains { abs($0) > 0.04 })
        }
    }
}
