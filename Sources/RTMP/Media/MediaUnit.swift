package import MPEGTS
import MediaTypes

/// The bytes of the unit that a ``MediaReader`` found last, as transport packets: Annex B or ADTS, packed while they
/// are copied. It is of use as long as the bytes of its message are there.
package struct MediaUnit: UnitSource {
    package let program: Program?
    package let videoFormat: VideoFormat?
    package let audioFormat: AACFormat?
    fileprivate let unit: AccessUnit
    /// Bytes of the unit itself.
    fileprivate let size: Int
    fileprivate let content: Content

    enum Content {
        /// NAL units behind their lengths.
        ///
        /// - Parameter sets: What is put before a keyframe.
        case video(Bytes, codec: VideoCodec, lengthSize: Int, sets: [UInt8])
        /// A frame without its header.
        case audio(Bytes, header: UInt64)
    }

    init(
        _ unit: AccessUnit, size: Int, program: Program?, videoFormat: VideoFormat?, audioFormat: AACFormat?,
        content: Content
    ) {
        self.unit = unit
        self.size = size
        self.program = program
        self.videoFormat = videoFormat
        self.audioFormat = audioFormat
        self.content = content
    }

    /// A start code and an access unit delimiter that allows for every type of slice, in front of each frame:
    /// FFmpeg's and hardware decoders' parsers of MPEG-TS want one (ISO/IEC 13818-1, 2.14.1 and 2.17.1).
    static func delimiter(_ codec: VideoCodec) -> [UInt8] {
        switch codec {
        case .h264: h264Delimiter
        case .hevc: hevcDelimiter
        case .av1: []
        }
    }
    private static let h264Delimiter: [UInt8] = [0, 0, 0, 1, 0x09, 0xF0]
    private static let hevcDelimiter: [UInt8] = [0, 0, 0, 1, 0x46, 0x01, 0x50]

    /// The NAL unit is left out: a delimiter has been written, and before a keyframe all parameter sets.
    static func leavesOut(_ kind: NALUnitKind, isKeyframe: Bool) -> Bool {
        switch kind {
        case .accessUnitDelimiter: true
        case .parameterSet: isKeyframe
        default: false
        }
    }

    package func copyUnit(to destination: UnsafeMutablePointer<UInt8>) {
        var packer = UnitPacker(unit, size: size, to: destination)
        switch content {
        case .video(let bytes, let codec, let lengthSize, let sets):
            Self.delimiter(codec).withUnsafeBytes { packer.append($0) }
            sets.withUnsafeBytes { packer.append($0) }
            for nal in NALUnits(bytes, lengthSize: lengthSize) {
                if Self.leavesOut(NALUnitKind(nal, codec), isKeyframe: unit.isKeyframe) { continue }
                ParameterSets.startCode.withUnsafeBytes { packer.append($0) }
                packer.append(nal)
            }
        case .audio(let bytes, let header):
            withUnsafeBytes(of: (header << 8).bigEndian) {
                packer.append(UnsafeRawBufferPointer(rebasing: $0[..<AudioFormat.headerSize]))
            }
            packer.append(bytes)
        }
        assert(packer.isComplete)
    }
}
