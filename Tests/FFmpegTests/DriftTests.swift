import FFmpeg
import TestSupport
import Testing

/// Sound and picture of a card have clocks of their own.
@Suite struct DriftTests {
    @Test(
        """
        sound whose clock is off by a thousandth keeps its place for a minute, and goes away from it when nothing \
        is done
        """
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
