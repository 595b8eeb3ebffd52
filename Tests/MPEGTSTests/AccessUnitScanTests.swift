import MediaTypes
import Testing

@testable import MPEGTS

@Suite struct AccessUnitScanTests {
    private func scan(_ nals: [[UInt8]], _ codec: VideoCodec, randomAccess: Bool = false, isCut: Bool = false)
        -> AccessUnitScan
    {
        let bytes: [UInt8] = nals.flatMap { [0, 0, 0, 1] + $0 }
        return bytes.withUnsafeBufferPointer {
            AccessUnitScan($0, codec: codec, randomAccess: randomAccess, isCut: isCut)
        }
    }

    private let padding = [UInt8](repeating: 0x80, count: 20)
    private let parameters: [UInt8] = [0x67, 0x64, 0x00, 0x1F, 0xAC]
    private let recovery: [UInt8] = [0x06, 0x06, 0x01, 0x84, 0x80]
    /// first_mb_in_slice 0; slice_type 7: every macroblock is intra.
    private var intraSlice: [UInt8] { [0x41, 0b1000_1000] + padding }
    private var otherSlice: [UInt8] { [0x41, 0b1001_1000] + padding }

    @Test("an IDR frame is a keyframe, whatever the packet says")
    func idr() {
        #expect(scan([[0x09, 0xF0], parameters, [0x68, 1], [0x65] + padding], .h264).isKeyframe)
        #expect(scan([[0x65] + padding], .h264).isKeyframe)
    }

    @Test("an intra frame is a keyframe only with parameter set and recovery point or flag")
    func recoveryPoint() {
        #expect(scan([parameters, recovery, intraSlice], .h264).isKeyframe)
        #expect(scan([parameters, intraSlice], .h264, randomAccess: true).isKeyframe)
        #expect(!scan([parameters, intraSlice], .h264).isKeyframe)
        #expect(!scan([recovery, intraSlice], .h264).isKeyframe)
        #expect(!scan([parameters, recovery, otherSlice], .h264, randomAccess: true).isKeyframe)
        #expect(!scan([otherSlice], .h264, randomAccess: true).isKeyframe)
    }

    @Test("a cut slice header -> more bytes are needed")
    func cut() {
        #expect(!scan([parameters, recovery, [0x41, 0x88]], .h264, isCut: true).sawSlice)
        #expect(scan([parameters, recovery, [0x41, 0x88]], .h264).sawSlice)
        #expect(!scan([parameters], .h264, isCut: true).sawSlice)
    }

    @Test("the parameter set is found without the zeros after it")
    func parameterSet() {
        let found = scan([parameters + [0, 0], [0x68], [0x65]], .h264).parameterSet
        #expect(found == 4..<9)
    }

    @Test("HEVC keyframes are NAL units of type 16 to 21")
    func hevc() {
        for type in 0..<40 as Range<UInt8> {
            #expect(scan([[0x40, 1], [0x42, 1], [type << 1, 1]], .hevc).isKeyframe == (16...21).contains(type))
        }
    }
}
