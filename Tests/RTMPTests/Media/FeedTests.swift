import MPEGTS
import MediaTypes
import Testing

@testable import RTMP

/// Messages that go into a channel's feed.
@Suite struct FeedTests {
    private func frame(_ number: Int, size: Int = 40) -> [UInt8] {
        let isKey = number % 25 == 0
        return Media.avc([Media.slice(number, isIDR: isKey, size: size)], isKeyframe: isKey, composition: 80)
    }

    @Test("the feed contains video and audio unchanged, with their times")
    func roundTrip() {
        var line = Line()
        line.send(.video, 0, Media.avcHeader())
        line.send(.audio, 0, Media.aacHeader())
        for number in 0..<100 {
            // Sizes around the limits of packets.
            line.send(.video, number * 40, frame(number, size: 10 + number * 7))
            line.send(.audio, number * 40, Media.aac(2 * number, size: 5 + number))
            line.send(.audio, number * 40 + 21, Media.aac(2 * number + 1, size: 170 + number))
        }
        let units = line.units()
        let video = units.filter { $0.unit.kind == .video }
        #expect(video.count >= 99 && line.splicer.silentFrames == 0)
        for (number, (unit, payload)) in video.enumerated() {
            let slice = Media.slice(number, isIDR: number % 25 == 0, size: 10 + number * 7)
            let sets = number % 25 == 0 ? [Media.sps(), Media.pps()] : []
            #expect(payload == Media.annexB([Media.delimiter] + sets + [slice]), "\(number)")
            #expect(unit.dts == 900_000 + Int64(number) * 3600 && unit.pts == unit.dts + 7200)
            #expect(unit.isKeyframe == (number % 25 == 0))
        }
        let audio = units.filter { $0.unit.kind == .audio }
        #expect(audio.count >= 150)
        for (unit, payload) in audio { #expect(payload[0] == 0xFF && unit.duration == 1920) }
    }

    @Test("the first keyframe is in the feed at once, and silence replaces missing audio")
    func missingAudio() {
        var line = Line()
        line.send(.audio, 0, Media.aacHeader())
        line.send(.video, 0, Media.avcHeader())
        #expect(line.send(.video, 0, frame(0)) == .joined)
        for number in 1..<100 { #expect(line.send(.video, number * 40, frame(number)) == .accepted) }
        #expect(line.splicer.silentFrames >= 180)
    }

    @Test("audio that begins late is synchronous", arguments: [200, 1000, 3000, 20_000])
    func lateAudio(_ delay: Int) {
        var line = Line()
        line.send(.video, 0, Media.avcHeader())
        let first = delay / 40 * 40
        for number in 0..<(first / 40 + 100) {
            line.send(.video, number * 40, frame(number))
            guard number * 40 >= first else { continue }
            if number * 40 == first { line.send(.audio, first, Media.aacHeader()) }
            line.send(.audio, number * 40, Media.aac(size: 20))
            line.send(.audio, number * 40 + 21, Media.aac(size: 20))
        }
        // At the end the feed contains the publisher's audio.
        let audio = line.units().filter { $0.unit.kind == .audio }
        let own = audio.suffix(40)
        #expect(own.allSatisfy { $0.payload.count == 27 })
        // The first frame is shown 80 ms after it is decoded, at ten seconds.
        for (unit, _) in own {
            let time = Double(unit.pts - 900_000) / 90
            #expect(time >= Double(first) && time <= Double(first) + 4100)
        }
    }

    @Test("audio far behind its video becomes silence, until its times have caught up")
    func audioBehind() {
        var line = Line()
        line.send(.video, 0, Media.avcHeader())
        line.send(.audio, 0, Media.aacHeader())
        var sent = 0
        func sendAudio(_ line: inout Line, until time: Int) {
            while sent * 40 < time {
                line.send(.audio, sent * 40, Media.aac(2 * sent, size: 20))
                line.send(.audio, sent * 40 + 21, Media.aac(2 * sent + 1, size: 20))
                sent += 1
            }
        }
        for number in 0..<300 {
            line.send(.video, number * 40, frame(number))
            // Two seconds behind for six seconds, then all at once.
            sendAudio(&line, until: number < 150 ? number * 40 - 2000 : number * 40 + 1)
        }
        let audio = line.units().filter { $0.unit.kind == .audio }
        #expect(line.splicer.silentFrames >= 270 && line.splicer.silentFrames < 300)
        #expect(audio.suffix(200).allSatisfy { $0.payload.count == 27 })
        let last = audio.last
        #expect(last?.payload.suffix(20) == Media.aac(599, size: 20).suffix(20))
        // The first frame is shown 80 ms after it is decoded, at ten seconds.
        #expect(abs((last?.unit.pts ?? 0) - 900_000 - (299 * 40 + 21) * 90) <= 40 * 90)
    }

    @Test("a new size is a new format in the same feed, and a new codec begins an era")
    func formats() {
        var line = Line()
        line.send(.video, 0, Media.avcHeader())
        for number in 0..<25 { line.send(.video, number * 40, frame(number)) }
        let reader = line.feed.makeReader()
        line.send(.video, 1000, Media.avcHeader(Media.avcRecord([Media.sps(width: 1280, height: 720)])))
        for number in 25..<50 { line.send(.video, number * 40, frame(number)) }
        while let bytes = reader.next() { reader.consume(bytes.count) }
        #expect(!reader.isFinished && line.reader.videoFormat?.width == 1280)
        line.send(.video, 2000, Media.enhanced(0, isKeyframe: true, Media.hevcRecord()))
        let units = Media.units([Media.hevcSlice(isIDR: true)])
        #expect(line.send(.video, 2000, Media.enhanced(3, isKeyframe: true, units)) == .accepted)
        while let bytes = reader.next() { reader.consume(bytes.count) }
        #expect(reader.isFinished && line.splicer.videoCodec == .hevc)
    }

    @Test("units of every size become whole packets that a parser reads back")
    func packing() {
        for kind in [StreamKind.video, .audio] {
            for size in 1...600 {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 | 0x80) }
                let unit = AccessUnit(
                    kind: kind, pts: 12_345, dts: kind == .video ? 6_789 : 12_345, isKeyframe: true, duration: 0,
                    byteCount: UnitPacker.byteCount(kind, size: size))
                let packets = [UInt8](unsafeUninitializedCapacity: unit.byteCount) { buffer, count in
                    var packer = UnitPacker(unit, size: size, to: buffer.baseAddress!)
                    bytes.withUnsafeBytes { bytes in
                        packer.append(UnsafeRawBufferPointer(rebasing: bytes[..<(size / 3)]))
                        packer.append(UnsafeRawBufferPointer(rebasing: bytes[(size / 3)...]))
                    }
                    let isComplete = packer.isComplete
                    #expect(isComplete)
                    count = unit.byteCount
                }
                #expect(unit.byteCount % 188 == 0 && Packets.payload(packets) == bytes, "\(kind) of \(size) bytes")
            }
        }
    }
}
