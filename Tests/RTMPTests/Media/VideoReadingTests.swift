import MPEGTS
import Testing

@testable import RTMP

/// Video messages become units in Annex B form.
@Suite struct VideoReadingTests {
    private func start(_ header: [UInt8] = Media.avcHeader()) -> Reading {
        var reading = Reading()
        reading.take(Message(.video, 0, header))
        return reading
    }

    @Test("a keyframe gets a delimiter and the header's parameter sets", arguments: [1, 2, 4])
    func keyframe(_ lengthSize: Int) {
        var reading = start(Media.avcHeader(Media.avcRecord(lengthSize: lengthSize)))
        let slices = [Media.slice(1, isIDR: true), Media.slice(2, isIDR: true, size: 200)]
        let unit = reading.video(40, Media.avc(slices, isKeyframe: true, composition: 80, lengthSize: lengthSize))
        #expect(unit?.payload == Media.annexB([Media.delimiter, Media.sps(), Media.pps()] + slices))
        #expect(unit?.unit.isKeyframe == true && unit?.isNewFormat == true)
        #expect(unit?.unit.dts == 40 * 90 && unit?.unit.pts == 120 * 90)
        let next = reading.video(80, Media.avc([Media.slice(3)], lengthSize: lengthSize))
        #expect(next?.payload == Media.annexB([Media.delimiter, Media.slice(3)]))
        #expect(next?.unit.isKeyframe == false && next?.isNewFormat == false)
        #expect(reading.reader.videoFormat?.description == "h264 640x368")
        #expect(reading.reader.program == Program(video: .init(pid: 256, type: .h264), audio: nil))
        #expect(reading.reader.faults.total == 0)
    }

    @Test("a new header begins a format with its keyframe; a repeated header does not")
    func newHeader() {
        var reading = start()
        reading.video(0, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))
        reading.take(Message(.video, 40, Media.avcHeader()))
        #expect(reading.video(40, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))?.isNewFormat == false)
        // A different set with the same frame size.
        let other = Media.sps(references: 2)
        reading.take(Message(.video, 80, Media.avcHeader(Media.avcRecord([other]))))
        #expect(reading.video(80, Media.avc([Media.slice()]))?.isNewFormat == false)
        let changed = reading.video(120, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))
        #expect(changed?.isNewFormat == true)
        #expect(changed?.payload == Media.annexB([Media.delimiter, other, Media.pps(), Media.slice(isIDR: true)]))
        let wide = Media.sps(width: 1280, height: 720)
        reading.take(Message(.video, 160, Media.avcHeader(Media.avcRecord([wide]))))
        reading.video(160, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))
        #expect(reading.reader.videoFormat?.description == "h264 1280x720")
    }

    @Test("in-band parameter sets replace those of the header, and are written once")
    func inBand() {
        var reading = start()
        let (sps, pps) = (Media.sps(width: 1280, height: 720), Media.pps(filler: 0x2A))
        let slice = Media.slice(isIDR: true)
        let first = reading.video(0, Media.avc([Media.delimiter, sps, pps, slice], isKeyframe: true))
        #expect(first?.payload == Media.annexB([Media.delimiter, sps, pps, slice]))
        #expect(reading.reader.videoFormat?.description == "h264 1280x720")
        // One of them alone: the others stay valid.
        let newer = Media.pps(filler: 0x2B)
        let second = reading.video(40, Media.avc([newer, slice], isKeyframe: true))
        #expect(second?.payload == Media.annexB([Media.delimiter, sps, newer, slice]) && second?.isNewFormat == true)
        // In a message of their own, and before a frame that is not a keyframe.
        #expect(reading.video(80, Media.avc([pps])) == nil)
        #expect(
            reading.video(80, Media.avc([slice], isKeyframe: true))?.payload
                == Media.annexB([Media.delimiter, sps, pps, slice]))
        #expect(
            reading.video(120, Media.avc([newer, Media.slice()]))?.payload
                == Media.annexB([Media.delimiter, newer, Media.slice()]))
        #expect(
            reading.video(160, Media.avc([slice], isKeyframe: true))?.payload
                == Media.annexB([Media.delimiter, sps, newer, slice]))
        // A set with another number is another set.
        let numbered = reading.video(200, Media.avc([Media.pps(id: 1), slice], isKeyframe: true))
        #expect(numbered?.payload == Media.annexB([Media.delimiter, sps, newer, Media.pps(id: 1), slice]))
        // A header is newer than all of these.
        reading.take(Message(.video, 240, Media.avcHeader()))
        #expect(
            reading.video(240, Media.avc([slice], isKeyframe: true))?.payload
                == Media.annexB([Media.delimiter, Media.sps(), Media.pps(), slice]))
        #expect(reading.reader.faults.total == 0)
    }

    @Test("the NAL units decide about keyframes, not the publisher's mark")
    func keyframes() {
        var reading = start()
        #expect(reading.video(0, Media.avc([Media.slice()], isKeyframe: true)) == nil)
        #expect(reading.reader.faults[.missingKeyframe] == 1)
        #expect(reading.video(40, Media.avc([Media.slice(isIDR: true)]))?.unit.isKeyframe == true)
        #expect(reading.video(80, Media.avc([Media.slice(isIntra: true)]))?.unit.isKeyframe == false)
        #expect(reading.video(120, Media.avc([Media.slice(isIntra: true)], isKeyframe: true))?.unit.isKeyframe == true)
        let recovery: [UInt8] = [0x06, 0x06, 0x01, 0xC4, 0x80]
        #expect(reading.video(160, Media.avc([recovery, Media.slice(isIntra: true)]))?.unit.isKeyframe == true)
        #expect(reading.video(200, Media.avc([recovery, Media.slice()]))?.unit.isKeyframe == false)
    }

    /// The forms in which publishers send HEVC.
    enum HEVCForm: String, CaseIterable, CustomTestStringConvertible {
        case number12, codedFrames, codedFramesX

        var testDescription: String { rawValue }

        func header(_ record: [UInt8]) -> [UInt8] {
            self == .number12 ? [0x1C, 0, 0, 0, 0] + record : Media.enhanced(0, isKeyframe: true, record)
        }

        func frame(_ nals: [[UInt8]], isKeyframe: Bool, composition: Int) -> [UInt8] {
            switch self {
            case .number12: Media.avc(nals, isKeyframe: isKeyframe, composition: composition, codec: 12)
            case .codedFrames:
                Media.enhanced(1, isKeyframe: isKeyframe, composition: composition, Media.units(nals))
            case .codedFramesX: Media.enhanced(3, isKeyframe: isKeyframe, Media.units(nals))
            }
        }
    }

    @Test("HEVC arrives as codec 12, CodedFrames and CodedFramesX", arguments: HEVCForm.allCases)
    func hevc(_ form: HEVCForm) {
        var reading = start(form.header(Media.hevcRecord()))
        let sets = [Media.hevcDelimiter, Media.vps, Media.hevcSPS(), Media.hevcPPS]
        let slice = Media.hevcSlice(isIDR: true)
        let unit = reading.video(40, form.frame([slice], isKeyframe: true, composition: 33))
        #expect(unit?.payload == Media.annexB(sets + [slice]) && unit?.unit.isKeyframe == true)
        let time: Int64 = form == .codedFramesX ? 40 : 73
        #expect(unit?.unit.pts == time * 90)
        #expect(
            reading.video(80, form.frame([Media.hevcSlice()], isKeyframe: false, composition: 0))?.payload
                == Media.annexB([Media.hevcDelimiter, Media.hevcSlice()]))
        #expect(reading.reader.videoFormat?.description == "hevc 640x360")
        #expect(reading.reader.program?.video?.type == .hevc)
        // In-band sets with another frame size.
        let sps = Media.hevcSPS(width: 1280, height: 720)
        let other = reading.video(120, form.frame([sps, slice], isKeyframe: true, composition: 0))
        #expect(other?.payload == Media.annexB([Media.hevcDelimiter, Media.vps, sps, Media.hevcPPS, slice]))
        #expect(other?.isNewFormat == true && reading.reader.videoFormat?.width == 1280)
        #expect(reading.reader.faults.total == 0)
    }

    @Test("H.264 by its FourCC is read")
    func avcByFourCC() {
        var reading = start(Media.enhanced(0, "avc1", isKeyframe: true, Media.avcRecord()))
        let body = Media.units([Media.slice(isIDR: true)])
        let unit = reading.video(0, Media.enhanced(1, "avc1", isKeyframe: true, composition: 10, body))
        #expect(unit?.unit.pts == 900 && unit?.unit.isKeyframe == true)
    }

    @Test("a change of codec begins with a keyframe")
    func codecChange() {
        var reading = start()
        reading.video(0, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))
        reading.take(Message(.video, 40, HEVCForm.codedFrames.header(Media.hevcRecord())))
        // A header alone does not change the codec.
        #expect(reading.video(40, Media.avc([Media.slice()])) != nil && reading.reader.faults.total == 0)
        let form = HEVCForm.codedFramesX
        #expect(reading.video(80, form.frame([Media.hevcSlice()], isKeyframe: false, composition: 0)) == nil)
        #expect(reading.reader.faults[.missingKeyframe] == 1 && reading.reader.program?.video?.type == .h264)
        let unit = reading.video(120, form.frame([Media.hevcSlice(isIDR: true)], isKeyframe: true, composition: 0))
        #expect(unit?.isNewFormat == true && reading.reader.program?.video?.type == .hevc)
    }

    @Test("negative composition times move decoding earlier; impossible ones are ignored")
    func compositionTimes() {
        var reading = start()
        reading.video(1000, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))
        let early = reading.video(1040, Media.avc([Media.slice()], composition: -20))
        #expect(early?.unit.pts == 1020 * 90 && early?.unit.dts == 1020 * 90)
        let next = reading.video(1080, Media.avc([Media.slice()], composition: 40))
        #expect(next?.unit.dts == 1060 * 90 && next?.unit.pts == 1120 * 90)
        for composition in [8_000_000, -8_000_000, 8001, -501] {
            let unit = reading.video(1120, Media.avc([Media.slice()], composition: composition))
            #expect(unit.map { $0.unit.pts - $0.unit.dts <= 20 * 90 } == true, "\(composition)")
        }
        #expect(reading.reader.faults[.compositionTime] == 4)
    }

    @Test(
        "video that a feed cannot carry is reported by its codec",
        arguments: [
            ([0x22, 1, 2], "Sorenson H.263"), ([0x13, 0], "Screen video"), ([0x24, 0], "VP6"),
            ([0x25, 0], "VP6 with alpha channel"),
            ([0x26, 0], "Screen video version 2"), ([0x29, 0], "video codec 9"), ([0x90] + Array("av01_".utf8), "AV1"),
            ([0x91] + Array("vp09_".utf8), "VP9"), ([0x93] + Array("vp08_".utf8), "VP8"),
            ([0x90] + Array("vvc1_".utf8), "VVC"),
            ([0x90, 0x61, 0x0A, 0x20, 0x62, 1], "video codec a??b"), ([0x96, 0, 0, 0, 0, 0], "several video tracks"),
            ([0x97, 0], "several video tracks"),
        ] as [([UInt8], String)])
    func foreign(_ bytes: [UInt8], _ name: String) {
        var reading = start()
        for _ in 0..<2 { #expect(reading.take(Message(.video, 0, bytes)) == .nothing) }
        guard case .foreignVideo(let coding) = reading.take(Message(.video, 0, bytes)) else {
            Issue.record("\(name) is not named")
            return
        }
        #expect(coding.description == name)
    }

    @Test(
        "commands, metadata, ends of sequences and empty messages are ignored",
        arguments: [
            [], [0x57, 0], [0x27, 2, 0, 0, 0], [0x27, 2], [0x17, 9, 0, 0, 0], [0xD1] + Array("hvc1".utf8) + [0, 0, 0],
            [0x84] + Array("hvc1".utf8) + [1], [0xA2] + Array("hvc1".utf8),
        ] as [[UInt8]])
    func nothing(_ bytes: [UInt8]) {
        var reading = start()
        #expect(reading.take(Message(.video, 0, bytes)) == .nothing)
        #expect(reading.reader.faults.total == 0)
    }

    @Test(
        "damaged messages are dropped and counted by fault",
        arguments: [
            ([0x17], .shortMessage), ([0x17, 1, 0, 0], .shortMessage), ([0x90, 0x68, 0x76], .shortMessage),
            ([0x91] + Array("hvc1".utf8) + [0, 0], .shortMessage),
            ([0x17, 0, 0, 0, 0], .unreadableHeader),
            ([0x17, 0, 0, 0, 0, 2, 66, 0, 30, 0xFF, 0xE0, 0], .unreadableHeader),
            (Array(Media.avcHeader().dropLast()), .unreadableHeader),
            (Array(Media.enhanced(0, isKeyframe: true, Media.hevcRecord()).dropLast(3)), .unreadableHeader),
            (Media.avc([], isKeyframe: true) + [0, 0, 0, 9, 0x65], .wrongLength),
            (Media.avc([Media.slice(isIDR: true)]) + [0xFF, 0xFF, 0xFF, 0xFF], .wrongLength),
            (Media.avc([Media.slice(isIDR: true)]) + [1, 2], .truncatedUnit),
            (Media.avc([], isKeyframe: true) + [0, 0, 0, 1, 0x67, 0x42, 0, 0x1E, 0xDA], .wrongLength),
            (Media.enhanced(3, isKeyframe: false, Media.units([Media.hevcSlice()])), .missingHeader),
        ] as [([UInt8], MediaFault)])
    func damaged(_ bytes: [UInt8], _ fault: MediaFault) {
        var reading = start()
        #expect(reading.take(Message(.video, 0, bytes)) == .nothing)
        #expect(reading.reader.faults[fault] == 1 && reading.reader.faults.total == 1, "\(reading.reader.faults)")
        // The next messages are not affected.
        #expect(
            reading.video(40, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))?.payload
                == Media.annexB([Media.delimiter, Media.sps(), Media.pps(), Media.slice(isIDR: true)]))
    }

    @Test("empty NAL units are dropped and counted; padding with zeros is not")
    func emptyUnits() {
        var reading = start()
        let bytes = Media.avc([[], Media.slice(isIDR: true), []], isKeyframe: true) + [0, 0, 0]
        #expect(
            reading.video(0, bytes)?.payload
                == Media.annexB([Media.delimiter, Media.sps(), Media.pps(), Media.slice(isIDR: true)]))
        #expect(reading.reader.faults[.emptyUnit] == 2 && reading.reader.faults.total == 2)
    }

    @Test("frames that are too large or have too many NAL units are dropped")
    func oversized() {
        var reading = Reading(reader: MediaReader(largestUnit: 1000))
        reading.take(Message(.video, 0, Media.avcHeader()))
        #expect(reading.video(0, Media.avc([Media.slice(isIDR: true, size: 1000)], isKeyframe: true)) == nil)
        let many = [[UInt8]](repeating: [0x65], count: NALUnits.maximum + 1)
        #expect(reading.video(0, Media.avc(many, isKeyframe: true)) == nil)
        #expect(reading.reader.faults[.oversizedUnit] == 2 && reading.reader.faults.total == 2)
        #expect(reading.video(0, Media.avc([Media.slice(isIDR: true, size: 900)], isKeyframe: true)) != nil)
    }

    @Test("any number of parameter sets -> memory stays bounded")
    func boundedSets() {
        var reading = start()
        for id in 1...400 {
            let sets = [Media.pps(id: id % 256) + [UInt8](repeating: 0x7F, count: 1000)]
            reading.video(id * 40, Media.avc(sets + [Media.slice(isIDR: true)], isKeyframe: true))
        }
        let unit = reading.video(20_000, Media.avc([Media.slice(isIDR: true)], isKeyframe: true))
        #expect(unit.map { $0.payload.count < 70_000 } == true)
    }

    @Test(
        "commands and one or two odd messages are ignored; a third changes the codec",
        arguments: [(0x52, false), (0x22, true), (0x91, true)] as [(UInt8, Bool)])
    func odd(first: UInt8, isFrame: Bool) {
        var reading = Reading()
        reading.take(Message(.video, 0, Media.avcHeader()))
        #expect(reading.video(0, Media.avc([Media.slice(isIDR: true)], isKeyframe: true)) != nil)
        // With a FourCC.
        let bytes = [first] + Array("av01".utf8) + [1, 2]
        for time in [10, 20] { #expect(reading.take(Message(.video, time, bytes)) == .nothing) }
        #expect(reading.video(40, Media.avc([Media.slice()])) != nil)
        for time in [50, 60] { #expect(reading.take(Message(.video, time, bytes)) == .nothing) }
        #expect(reading.reader.faults[.oddMessage] == (isFrame ? 4 : 0))
        let third = reading.take(Message(.video, 70, bytes))
        if case .foreignVideo = third { #expect(isFrame) } else { #expect(!isFrame && third == .nothing) }
    }

    @Test("thousands of parameter sets in one message -> the first ones count")
    func manySets() {
        var reading = Reading()
        reading.take(Message(.video, 0, Media.avcHeader()))
        let many = (0..<4000).map { Media.pps(id: $0 % 256, filler: $0 / 256) }
        let unit = reading.video(0, Media.avc(many + [Media.slice(isIDR: true)], isKeyframe: true))
        // The header's set with its number, and the first 300 of the message.
        let sets = (0..<256).map { Media.pps(id: $0, filler: $0 < 300 - 256 ? 1 : 0) }
        let expected = [Media.delimiter, Media.sps()] + sets + [Media.slice(isIDR: true)]
        #expect(unit?.payload == Media.annexB(expected))
    }
}
