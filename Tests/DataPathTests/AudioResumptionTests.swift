import MPEGTS
import Testing

@testable import DataPath

/// Tests the place where the next process continues the audio of a source.
@Suite struct AudioResumptionTests {
    private static let begin: Int64 = 5_000_017
    /// A frame of 1024 samples at 48 kHz.
    private static let frame: Int64 = 1920

    /// - Parameter frames: Accepted frames, from the beginning on.
    private func resumption(frames: Int64) -> AudioResumption {
        var resumption = AudioResumption()
        for number in 0..<frames { _ = resumption.take(Self.begin + number * Self.frame, duration: Self.frame) }
        return resumption
    }

    @Test("the first process gets no replay and no first sample")
    func first() {
        let resumption = AudioResumption()
        #expect(resumption.replayStart == nil && resumption.firstSample(from: Self.begin, sampleRate: 48_000) == nil)
    }

    @Test("a process that gave nothing is followed from its first message on")
    func fruitless() {
        var resumption = AudioResumption()
        resumption.ended(first: nil)
        #expect(resumption.replayStart == nil)
        resumption.ended(first: Self.begin)
        resumption.ended(first: Self.begin + 90_000)
        #expect(resumption.replayStart == Self.begin - 90_000)
        #expect(resumption.firstSample(from: Self.begin, sampleRate: 48_000) == nil)
    }

    @Test("the replay begins a second before the end of the last frame")
    func replay() {
        let resumption = self.resumption(frames: 100)
        #expect(resumption.end == Self.begin + 192_000)
        #expect(resumption.replayStart == Self.begin + 192_000 - 90_000)
    }

    @Test("frames that the feed has are not accepted again, and the next one is")
    func overlap() {
        var resumption = self.resumption(frames: 100)
        let end = Self.begin + 100 * Self.frame
        let times = [-3 * Self.frame, -2 * Self.frame, -Self.frame, -1, 0, Self.frame - 1].map { end + $0 }
        let taken = times.filter { resumption.take($0, duration: Self.frame) }
        #expect(taken == [end - 1, end + Self.frame - 1])
        #expect(resumption.end == end - 1 + 2 * Self.frame)
    }

    @Test(
        "a frame that overlaps the last one by less than half is accepted",
        arguments: [
            (959, true), (960, true), (961, false),
        ])
    func rounding(overlap: Int64, isTaken: Bool) {
        var resumption = self.resumption(frames: 10)
        let taken = resumption.take(Self.begin + 10 * Self.frame - overlap, duration: Self.frame)
        #expect(taken == isTaken)
    }

    @Test("the next process begins two frames before the end of the last one")
    func cut() {
        let resumption = self.resumption(frames: 100)
        let first = Self.begin + 100 * Self.frame - 27_000
        // 0.3 s are 14,400 samples, less two frames.
        #expect(resumption.firstSample(from: first, sampleRate: 48_000) == Int64(12_352))
    }

    @Test(
        "a process whose messages begin later begins with the next frame",
        arguments: [
            // Samples from the end of the last frame to the first message; samples from there to the first frame.
            (-2048, 0), (-2047, 1023), (-1024, 0), (-1, 1), (0, 0), (1, 1023), (1024, 0), (1025, 1023), (48_000, 128),
        ])
    func later(distance: Int64, sample: Int64) {
        let resumption = self.resumption(frames: 100)
        // The nearest tick: a sample has 1.875.
        let first = Self.begin + 100 * Self.frame + Int64((Double(distance) * 1.875).rounded())
        #expect(resumption.firstSample(from: first, sampleRate: 48_000) == sample)
    }

    @Test("frames of both processes are on one grid, to a sample, at every rate", arguments: [48_000, 44_100])
    func grid(sampleRate: Int) throws {
        for number in 1..<500 {
            var resumption = AudioResumption()
            // Rounded as a process rounds its timestamps.
            let time = { (samples: Int) in Int64((Double(samples) * 90_000 / Double(sampleRate)).rounded(.down)) }
            let last = time(number * 1024)
            _ = resumption.take(Self.begin + last, duration: time(1024))
            let end = try #require(resumption.end)
            let first = end - 27_000 - Int64(number) * 7
            let sample = try #require(resumption.firstSample(from: first, sampleRate: sampleRate))
            #expect(sample >= 0)
            let next = first + time(Int(sample) + 2 * 1024)
            #expect(abs(next - end) <= 3, "frame \(number): \(next - end) ticks")
            let isTaken = resumption.take(next, duration: time(1024))
            #expect(isTaken)
        }
    }
}
