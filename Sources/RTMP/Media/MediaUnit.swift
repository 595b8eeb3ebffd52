package import MPEGTS
import MediaTypes

/// The last unit of a ``MediaReader`` as transport packets: Annex B or ADTS, packed while it is copied. It is valid as
/// long as the bytes of its message.
package struct MediaUnit: UnitSource {
    package let program: Program?
    package let videoFormat: VideoFormat?
    package let audioFormat: AACFormat?
    fileprivate let unit: AccessUnit
    /// The size of the elementary stream data in bytes.
    fileprivate let size: Int
    fileprivate let content: Content

    enum Content {
        /// NAL units after their lengths.
        ///
        /// - Parameter sets: The parameter sets before a keyframe.
        case video(Bytes, codec: VideoCodec, lengthSize: Int, sets: [UInt8])
        /// An audio frame without its header.
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

    /// The start code and access unit delimiter before each frame. The delimiter allows every type of slice. The
    /// MPEG-TS parsers of FFmpeg and of hardware decoders need one (ISO/IEC 13818-1, 2.14.1 and 2.17.1).
    static func delimiter(_ codec: VideoCodec) -> [UInt8] {
        switch codec {
        case .h264: h264Delimiter
        case .hevc: hevcDelimiter
        case .av1: []
        }
    }
    private static let h264Delimiter: [UInt8] = [0, 0, 0, 1, 0x09, 0xF0]
    private static let hevcDelimiter: [UInt8] = [0, 0, 0, 1, 0x46, 0x01, 0x50]

    /// Whether a NAL unit is left out: the delimiter, and before a keyframe all parameter sets, have been written
    /// already.
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
