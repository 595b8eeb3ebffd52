import MPEGTS
import TestSupport
import Testing

@testable import RTMP

/// Wrong times of a publisher's video.
@Suite struct VideoTimesTests {
    /// Plays frames with given times and composition times, in milliseconds.
    ///
    /// - Returns: Their times in milliseconds; `nil` for dropped frames.
    private func times(
        _ frames: [(time: Int, composition: Int)], _ reading: inout Reading
    ) -> [(dts: Int, pts: Int)?] {
        reading.take(Message(.video, 0, Media.avcHeader()))
        var latest = 0
        return frames.enumerated().map { number, frame in
            latest = max(latest, frame.time)
            reading.now = Int64(latest) * 90
            let isKey = number % 30 == 0
            let bytes = Media.avc(
                [Media.slice(number, isIDR: isKey)], isKeyframe: isKey, composition: frame.composition)
            return reading.video(frame.time, bytes).map { (Int($0.unit.dts) / 90, Int($0.unit.pts) / 90) }
        }
    }

    private func even(_ count: Int, every frame: Int = 33, from start: Int = 0, _ composition: Int = 0) -> [(
        time: Int, composition: Int
    )] { (0..<count).map { (start + $0 * frame, composition) } }

    @Test("one wrong composition time -> it is counted, without effect", arguments: [-400, -50, 900, 3000, 8000])
    func oneComposition(_ wrong: Int) {
        for usual in [0, 66] {
            var reading = Reading()
            var frames = even(600, usual)
            frames[310].composition = wrong
            let times = times(frames, &reading)
            for (frame, time) in zip(frames, times) where frame.composition == usual {
                #expect(time?.dts == frame.time && time?.pts == frame.time + usual)
            }
            #expect(times[310]?.dts == frames[310].time && times[310]?.pts == frames[310].time)
            #expect(reading.reader.faults[.compositionTime] == 1 && reading.reader.faults.total == 1)
        }
    }

    @Test("a composition time that comes twice -> it is accepted", arguments: [(33, 1500), (500, 1500), (500, 4000)])
    func repeatedComposition(_ frame: Int, _ composition: Int) {
        var reading = Reading()
        let frames = even(100, every: frame, composition)
        let times = times(frames, &reading)
        #expect(
            zip(frames, times).dropFirst(2).allSatisfy { $1?.dts == $0.time && $1?.pts == $0.time + $0.composition })
        #expect(reading.reader.faults[.compositionTime] <= 1)
    }

    @Test("negative composition times end -> decoding times are normal some seconds later")
    func lead() {
        var reading = Reading()
        let frames = even(60) + even(30, from: 1980, -300) + even(600, from: 2970)
        let times = times(frames, &reading)
        #expect(times[80].map { $0.dts <= $0.pts && $0.pts == frames[80].time - 300 } == true)
        #expect(zip(frames, times).suffix(200).allSatisfy { $1?.dts == $0.time && $1?.pts == $0.time })
    }

    @Test("a gap and one step back without B-frames -> the decoding times do not change")
    func oneStepBack() {
        for step in [33, 100, 300] {
            var reading = Reading()
            let frames = even(30) + [(1390, 0), (1390 - step, 0)] + even(300, from: 1423)
            let times = times(frames, &reading)
            #expect(zip(frames, times).suffix(280).allSatisfy { $1?.dts == $0.time && $1?.pts == $0.time }, "\(step)")
        }
    }

    @Test("reordering ends -> decoding times are the timestamps some seconds later")
    func orderEnds() {
        var reading = Reading()
        let group = [0, 3, 1, 2]
        let frames = (0..<40).map { (time: ($0 / 4 * 3 + group[$0 % 4]) * 33, composition: 0) }
        let after = even(600, from: 40 * 33)
        let times = times(frames + after, &reading)
        #expect(zip(after, times.suffix(600)).suffix(200).allSatisfy { $1?.dts == $0.time && $1?.pts == $0.time })
    }

    @Test("random times -> no frame is decoded ten seconds before it is shown")
    func bounded() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<40 {
            var reading = Reading()
            var time = 0
            let frames = (0..<300).map { _ in
                time += Int.random(in: -500...600, using: &random)
                if Int.random(in: 0..<30, using: &random) == 0 { time += Int.random(in: 0...200_000, using: &random) }
                return (time: max(0, time), composition: Int.random(in: -600...9000, using: &random))
            }
            for case (let dts, let pts)? in times(frames, &reading) { #expect(pts >= dts && pts - dts < 10_000) }
        }
    }

    @Test("thousands of frames with one time -> a few are spread, the others are dropped")
    func oneTime() {
        var reading = Reading()
        let times = times([(Int, Int)](repeating: (1000, 0), count: 3000), &reading).compactMap(\.self)
        #expect(times.count >= 100 && times.allSatisfy { (1000...2500).contains($0.pts) })
        #expect(reading.reader.faults[.lateTime] > 0)
        var audioReading = Reading()
        audioReading.take(Message(.audio, 0, Media.aacHeader()))
        let audio = (0..<3000).compactMap { audioReading.audio(1000, Media.aac($0)) }
        #expect(audio.allSatisfy { ((1000 * 90)...(2550 * 90)).contains($0.unit.pts) })
        #expect(audio.count >= 100 && audioReading.reader.faults[.lateTime] > 0)
    }

    @Test("300 frames a second -> the times do not run ahead")
    func fast() {
        var reading = Reading()
        let frames = (0..<3000).map { (time: $0 * 10 / 3, composition: 0) }
        #expect(
            zip(frames, times(frames, &reading)).allSatisfy { frame, time in
                time.map { (0...5).contains($0.dts - frame.time) } == true
            })
    }

    @Test("a header of another codec -> the codec changes with its keyframe")
    func strayHeader() {
        var reading = Reading()
        reading.take(Message(.video, 0, Media.avcHeader()))
        reading.video(0, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))
        reading.take(Message(.video, 40, Media.enhanced(0, isKeyframe: true, Media.hevcRecord())))
        for number in 1...50 { #expect(reading.video(number * 40, Media.avc([Media.slice(number)])) != nil) }
        #expect(reading.reader.faults.total == 0)
        let hevc = Media.units([Media.hevcSlice(isIDR: true)])
        #expect(reading.video(2040, Media.enhanced(3, isKeyframe: true, hevc))?.isNewFormat == true)
        #expect(reading.reader.program?.video?.type == .hevc)
        // And back again, with the earlier header.
        #expect(reading.video(2080, Media.avc([Media.slice()])) == nil && reading.reader.faults[.missingKeyframe] == 1)
        let back = reading.video(2120, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))
        #expect(back?.payload == Media.annexB([Media.delimiter, Media.sps(), Media.pps(), Media.slice(isIDR: true)]))
    }

    @Test("headers of two codecs -> the first keyframe decides about the codec")
    func twoHeaders() {
        for isHEVC in [false, true] {
            var reading = Reading()
            reading.take(Message(.video, 0, Media.avcHeader()))
            reading.take(Message(.video, 0, Media.enhanced(0, isKeyframe: true, Media.hevcRecord())))
            let hevc = Media.enhanced(3, isKeyframe: true, Media.units([Media.hevcSlice(isIDR: true)]))
            let avc = Media.avc([Media.slice(isIDR: true)], isKeyframe: true)
            #expect(reading.video(0, isHEVC ? hevc : avc)?.isNewFormat == true)
            #expect(reading.reader.program?.video?.type == (isHEVC ? .hevc : .h264))
        }
    }

    @Test("one or two odd messages before the first keyframe -> they are ignored", arguments: [1, 2])
    func oddStart(_ count: Int) {
        var reading = Reading()
        let odd = [0x91] + Array("av01".utf8) + [0, 0, 0, 1]
        for _ in 0..<count { #expect(reading.take(Message(.video, 0, odd)) == .nothing) }
        reading.take(Message(.video, 0, Media.avcHeader()))
        #expect(reading.video(0, Media.avc([Media.slice(isIDR: true)], isKeyframe: true)) != nil)
        #expect(reading.reader.faults[.oddMessage] == count)
    }
}
