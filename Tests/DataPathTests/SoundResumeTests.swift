import MPEGTS
import Testing

@testable import DataPath

/// Where the next process continues the sound of a source.
@Suite struct SoundResumeTests {
    private static let begin: Int64 = 5_000_017
    /// A frame of 1024 samples at 48 kHz.
    private static let frame: Int64 = 1920

    /// - Parameter frames: That were taken, from the beginning on.
    private func resume(frames: Int64) -> AudioResumption {
        var resume = AudioResumption()
        for number in 0..<frames { _ = resume.take(Self.begin + number * Self.frame, duration: Self.frame) }
        return resume
    }

    @Test("without a process before, nothing is replayed and nothing is cut")
    func first() {
        let resume = AudioResumption()
        #expect(resume.replayStart == nil && resume.firstSample(from: Self.begin, sampleRate: 48_000) == nil)
    }

    @Test("a process that gave nothing is replaced from its first message on")
    func fruitless() {
        var resume = AudioResumption()
        resume.ended(first: nil)
        #expect(resume.replayStart == nil)
        resume.ended(first: Self.begin)
        resume.ended(first: Self.begin + 90_000)
        #expect(resume.replayStart == Self.begin - 90_000)
        #expect(resume.firstSample(from: Self.begin, sampleRate: 48_000) == nil)
    }

    @Test("messages are replayed from a second before the end of the last frame")
    func replay() {
        let resume = resume(frames: 100)
        #expect(resume.end == Self.begin + 192_000)
        #expect(resume.replayStart == Self.begin + 192_000 - 90_000)
    }

    @Test("frames that were taken before are not taken again, and the next one is")
    func overlap() {
        var resume = resume(frames: 100)
        let end = Self.begin + 100 * Self.frame
        let times = [-3 * Self.frame, -2 * Self.frame, -Self.frame, -1, 0, Self.frame - 1].map { end + $0 }
        let taken = times.filter { resume.take($0, duration: Self.frame) }
        #expect(taken == [end - 1, end + Self.frame - 1])
        #expect(resume.end == end - 1 + 2 * Self.frame)
    }

    @Test(
        "a frame less than half before the end of the last one is taken",
        arguments: [
            (959, true), (960, true), (961, false),
        ])
    func rounding(overlap: Int64, isTaken: Bool) {
        var resume = resume(frames: 10)
        let taken = resume.take(Self.begin + 10 * Self.frame - overlap, duration: Self.frame)
        #expect(taken == isTaken)
    }

    @Test("the next process begins two frames before the end of the last one")
    func cut() {
        let resume = resume(frames: 100)
        let first = Self.begin + 100 * Self.frame - 27_000
        // 0.3 s are 14,400 samples, less two frames.
        #expect(resume.firstSample(from: first, sampleRate: 48_000) == Int64(12_352))
    }

    @Test(
        "where messages begin later than that, it begins with the next frame",
        arguments: [
            // Samples from the end of the last frame to the first message; samples from there to the first frame.
            (-2048, 0), (-2047, 1023), (-1024, 0), (-1, 1), (0, 0), (1, 1023), (1024, 0), (1025, 1023), (48_000, 128),
        ])
    func later(distance: Int64, sample: Int64) {
        let resume = resume(frames: 100)
        // The nearest tick: a sample has 1.875.
        let first = Self.begin + 100 * Self.frame + Int64((Double(distance) * 1.875).rounded())
        #expect(resume.firstSample(from: first, sampleRate: 48_000) == sample)
    }

    @Test("frames of both processes are on one grid, to a sample, at every rate", arguments: [48_000, 44_100])
    func grid(sampleRate: Int) throws {
        for number in 1..<500 {
            var resume = AudioResumption()
            // As a process's timestamps are rounded.
            let time = { (samples: Int) in Int64((Double(samples) * 90_000 / Double(sampleRate)).rounded(.down)) }
            let last = time(number * 1024)
            _ = resume.take(Self.begin + last, duration: time(1024))
            let end = try #require(resume.end)
            let first = end - 27_000 - Int64(number) * 7
            let sample = try #require(resume.firstSample(from: first, sampleRate: sampleRate))
            #expect(sample >= 0)
            let next = first + time(Int(sample) + 2 * 1024)
            #expect(abs(next - end) <= 3, "frame \(number): \(next - end) ticks")
            let isTaken = resume.take(next, duration: time(1024))
            #expect(isTaken)
        }
    }
}
