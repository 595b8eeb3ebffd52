import MPEGTS
import MediaTypes
import Testing

@testable import RTMP

/// The timestamps of one stream step back by less than half a second.
@Suite struct ReorderTests {
    /// Positions of frames in the order in which they are sent, in groups that begin with a keyframe.
    private static func places(_ reorder: Int, isPyramid: Bool, groups: Int) -> [Int] {
        var places = [0]
        for group in 0..<groups {
            let first = group * (reorder + 1) + 1
            var between = Array(first..<first + reorder)
            if isPyramid, reorder > 1 { between.insert(between.remove(at: reorder / 2), at: 0) }
            places += [first + reorder] + between
        }
        return places
    }

    private static let orders = (1...4).flatMap { reorder in [false, true].map { (reorder, $0) } }

    @Test(
        "presentation timestamps -> shown then, decoded evenly before, with their audio",
        arguments: orders, [17, 33, 100])
    func shown(_ order: (reorder: Int, isPyramid: Bool), frame: Int) {
        var line = Line()
        line.send(.video, 0, Media.avcHeader())
        line.send(.audio, 0, Media.aacHeader())
        var meter = FrameRateMeter()
        var audioFrames = 0
        var last: Int64 = -1
        let places = Self.places(order.reorder, isPyramid: order.isPyramid, groups: 200 / (order.reorder + 1))
        for (index, place) in places.enumerated() {
            // A frame waits for the one that it depends on.
            let sent = places[...index].max()! * frame
            let bytes = Media.avc([Media.slice(index, isIDR: index == 0)], isKeyframe: index == 0)
            let taken = line.take(Message(.video, place * frame, bytes), at: Int64(sent) * 90)
            guard let taken else {
                Issue.record("frame \(place) is lost")
                continue
            }
            #expect(taken.outcome == (index == 0 ? .joined : .accepted))
            #expect(taken.unit.dts > last && taken.unit.pts >= taken.unit.dts)
            if index > 4 * (order.reorder + 1) {
                #expect(taken.unit.pts == Int64(place * frame) * 90 && taken.unit.dts == last + Int64(frame) * 90)
            }
            last = taken.unit.dts
            _ = meter.note(taken.unit.dts)
            while audioFrames * 64 / 3 <= sent {
                let unit = line.take(
                    Message(.audio, audioFrames * 64 / 3, Media.aac(audioFrames)), at: Int64(sent) * 90)
                #expect(unit.map { abs($0.unit.pts - Int64(audioFrames) * 1920) <= 180 } == true)
                #expect(unit?.outcome == .accepted)
                audioFrames += 1
            }
        }
        // The first frames are decoded closer together until the order is known. A tenth is the same rate.
        #expect(meter.rate.map { abs($0.perSecond * Double(frame) / 1000 - 1) < 0.1 } == true)
        #expect(line.splicer.silentFrames == 0 && line.reader.faults.total == 0)
    }

    @Test("reordered frames pause -> frames after the pause are decoded shortly before")
    func pause() {
        var reading = Reading()
        reading.take(Message(.video, 0, Media.avcHeader()))
        for round in 0..<4 {
            let start = round * 10_000
            for (index, place) in Self.places(3, isPyramid: true, groups: 12).enumerated() {
                reading.now = Int64(start + place * 40) * 90
                let isKeyframe = index == 0 && round == 0
                let bytes = Media.avc([Media.slice(isIDR: isKeyframe)], isKeyframe: isKeyframe)
                let unit = reading.video(start + place * 40, bytes)?.unit
                guard round > 0 || index > 16 else { continue }
                #expect(unit?.pts == Int64(start + place * 40) * 90)
                #expect(unit.map { $0.pts - $0.dts <= 240 * 90 } == true)
            }
        }
    }

    @Test("reordered frames around a wrap at 24 bits -> no step in the times")
    func wrap() {
        var reading = Reading()
        reading.take(Message(.video, 0, Media.avcHeader()))
        let start = 1 << 24 - 2000
        for (index, place) in Self.places(4, isPyramid: true, groups: 20).enumerated() {
            reading.now = Int64(place) * 3600
            let bytes = Media.avc([Media.slice(isIDR: index == 0)], isKeyframe: index == 0)
            let unit = reading.video((start + place * 40) % (1 << 24), bytes)?.unit
            if index > 20 { #expect(unit?.pts == Int64(start + place * 40) * 90) }
        }
    }

    /// Plays frames of both streams every 40 ms, with an offset on the timestamps of one of them.
    ///
    /// - Returns: The differences between the times of both streams and their capture, in milliseconds.
    private func errors(of kind: StreamKind, _ added: [Int]) -> [(it: Int, other: Int)] {
        var reading = Reading()
        reading.take(Message(.video, 0, Media.avcHeader()))
        reading.take(Message(.audio, 0, Media.aacHeader()))
        return added.enumerated().map { number, added in
            let captured = 1000 + number * 40
            reading.now = Int64(captured) * 90
            let video = reading.video(
                captured + (kind == .video ? added : 0), Media.avc([Media.slice(isIDR: true)], isKeyframe: true))
            let audio = reading.audio(captured + (kind == .audio ? added : 0), Media.aac())
            let errors = [video, audio].map { Int($0?.unit.pts ?? .max / 2) / 90 - captured }
            return kind == .video ? (errors[0], errors[1]) : (errors[1], errors[0])
        }
    }

    @Test(
        "a few wrong times of one stream -> it returns in a second, the other one stays",
        arguments: [StreamKind.video, .audio], [-400, -250, -120, 120, 250, 400])
    func burst(_ kind: StreamKind, _ size: Int) {
        for count in 1...6 {
            let normal = [Int](repeating: 0, count: 50)
            let errors = errors(of: kind, normal + [Int](repeating: size, count: count) + normal + normal)
            #expect(errors.allSatisfy { abs($0.other) <= 40 && abs($0.it) <= 450 }, "\(count)")
            #expect(errors.suffix(60).allSatisfy { abs($0.it) <= 40 }, "\(count)")
        }
    }

    @Test(
        "one stream steps back and stays -> its times are used, and the other one stays",
        arguments: [StreamKind.video, .audio], [-450, -300, -200, -100])
    func alone(_ kind: StreamKind, _ size: Int) {
        let errors = errors(of: kind, [Int](repeating: 0, count: 50) + [Int](repeating: size, count: 100))
        #expect(errors.allSatisfy { abs($0.other) <= 40 })
        #expect(errors.suffix(60).allSatisfy { abs($0.it - size) <= 40 })
    }

    @Test("one stream steps back repeatedly -> no stream runs ahead")
    func again() {
        for kind in [StreamKind.video, .audio] {
            let added = (0..<500).map { $0 % 25 < 5 ? -200 : 0 }
            let errors = errors(of: kind, [0, 0, 0, 0, 0] + added)
            #expect(errors.allSatisfy { abs($0.other) <= 40 && abs($0.it) <= 250 })
        }
    }
}
