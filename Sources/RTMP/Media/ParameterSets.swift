import MPEGTS
import MediaTypes

/// The present parameter sets: those of the newest sequence header, and those that came in band since then.
struct ParameterSets {
    let codec: VideoCodec
    /// The size of the length field before each NAL unit of a message, 1…4 bytes.
    let lengthSize: Int
    /// The sets in Annex B form, in the order in which a decoder needs them; see ``rebuild()``.
    private(set) var annexB: [UInt8] = []
    /// The size of the sets in that form, in bytes.
    private var byteCount = 0
    private var isRebuilt = true
    /// The format in the newest sequence parameter set; `nil` if it cannot be read.
    private(set) var videoFormat: VideoFormat?
    private var sets: [ParameterSet] = []

    private struct ParameterSet {
        var type: UInt8
        var id: Int
        var bytes: [UInt8]
    }

    /// H.264 allows up to 32 sequence and 256 picture parameter sets (ITU-T H.264, 7.4.2).
    static let maximumSets = 300
    private static let maximumBytes = 64 << 10
    static let startCode: [UInt8] = [0, 0, 0, 1]

    private init(_ codec: VideoCodec, lengthSize: Int) {
        self.codec = codec
        self.lengthSize = lengthSize
    }

    /// Whether a decoder with these sets can start at a keyframe.
    var isComplete: Bool {
        let needed: ClosedRange<UInt8>
        switch codec {
        case .h264: needed = 7...8
        case .hevc: needed = 32...34
        case .av1: return false
        }
        return needed.allSatisfy { type in sets.contains { $0.type == type } }
    }

    // MARK: Sequence headers

    /// Reads the body of a sequence header.
    ///
    /// - Throws: ``MediaFault/unreadableHeader``
    init(_ codec: VideoCodec, header: Bytes) throws(MediaFault) {
        switch codec {
        case .h264: try self.init(avc: header)
        case .hevc: try self.init(hevc: header)
        case .av1: throw .unreadableHeader
        }
    }

    /// Reads an `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15, 5.3.3.1.2). The fields after the picture parameter
    /// sets repeat values of the sets.
    private init(avc record: Bytes) throws(MediaFault) {
        guard record.count >= 7, record[0] == 1 else { throw .unreadableHeader }
        self.init(.h264, lengthSize: Int(record[4] & 3) + 1)
        var reader = RecordReader(record, at: 5)
        for _ in 0..<(try reader.byte() & 0x1F) { adopt(try reader.set()) }
        for _ in 0..<(try reader.byte()) { adopt(try reader.set()) }
        rebuild()
    }

    /// Reads an `HEVCDecoderConfigurationRecord` (ISO/IEC 14496-15, 8.3.3.1.2). Encoders from before the final standard
    /// write 0 as its version.
    private init(hevc record: Bytes) throws(MediaFault) {
        guard record.count >= 23, record[0] <= 1 else { throw .unreadableHeader }
        self.init(.hevc, lengthSize: Int(record[21] & 3) + 1)
        var reader = RecordReader(record, at: 22)
        for _ in 0..<(try reader.byte()) {
            _ = try reader.byte()
            for _ in 0..<(try reader.number()) { adopt(try reader.set()) }
        }
        rebuild()
    }

    private struct RecordReader {
        private let bytes: Bytes
        private var position: Int

        init(_ bytes: Bytes, at position: Int) {
            self.bytes = bytes
            self.position = position
        }

        mutating func byte() throws(MediaFault) -> Int {
            guard position < bytes.count else { throw .unreadableHeader }
            defer { position += 1 }
            return Int(bytes[position])
        }

        mutating func number() throws(MediaFault) -> Int { try byte() << 8 | byte() }

        /// Reads a NAL unit that follows its 16-bit length.
        mutating func set() throws(MediaFault) -> Bytes {
            let length = try number()
            guard length <= bytes.count - position else { throw .unreadableHeader }
            defer { position += length }
            return Bytes(rebasing: bytes[position..<position + length])
        }
    }

    // MARK: Sets

    /// Updates ``annexB``, once after all sets that came together: a publisher may send thousands.
    mutating func rebuild() {
        guard !isRebuilt else { return }
        isRebuilt = true
        annexB.removeAll(keepingCapacity: true)
        for set in sets { annexB += Self.startCode + set.bytes }
    }

    /// Takes a newer parameter set, which replaces the one of the same kind and number. Other NAL units, and sets whose
    /// number cannot be read, are ignored.
    mutating func adopt(_ nal: Bytes) {
        guard !nal.isEmpty, case .parameterSet(let type) = NALUnitKind(nal, codec) else { return }
        if sets.contains(where: { $0.type == type && $0.bytes.elementsEqual(nal) }) { return }
        guard let id = identifier(of: nal, type: type) else { return }
        let set = ParameterSet(type: type, id: id, bytes: Array(nal))
        let place = sets.firstIndex { $0.type == type && $0.id == id }
        let freed = place.map { sets[$0].bytes.count + Self.startCode.count } ?? 0
        let count = byteCount - freed + Self.startCode.count + nal.count
        guard count <= Self.maximumBytes else { return }
        if let place {
            sets[place] = set
        } else {
            guard sets.count < Self.maximumSets else { return }
            sets.insert(set, at: sets.firstIndex { $0.type > type } ?? sets.count)
        }
        (byteCount, isRebuilt) = (count, false)
        if type == (codec == .hevc ? 33 : 7) { videoFormat = VideoFormat(codec, parameterSet: nal) }
    }

    /// Reads the number of a set: `seq_parameter_set_id`, `pic_parameter_set_id` or `vps_video_parameter_set_id` (ITU-T
    /// H.264, 7.3.2.1.1 and 7.3.2.2; ITU-T H.265, 7.3.2.1 to 7.3.2.3).
    private func identifier(of nal: Bytes, type: UInt8) -> Int? {
        // The profiles of seven sub-layers are the longest part before a number.
        var bits = BitReader(unescaping: nal.prefix(160))
        switch (codec, type) {
        case (.hevc, 32):
            bits.skip(16)
            return valid(bits.read(4), &bits, maximum: 15)
        case (.hevc, 33):
            bits.skip(16 + 4)
            let subLayers = bits.read(3)
            bits.skip(1 + 96)
            var skipped = subLayers > 0 ? 2 * (8 - subLayers) : 0
            for _ in 0..<subLayers {
                if bits.read(1) == 1 { skipped += 88 }
                if bits.read(1) == 1 { skipped += 8 }
            }
            bits.skip(skipped)
            return valid(bits.readGolomb(), &bits, maximum: 15)
        case (.hevc, _):
            bits.skip(16)
            return valid(bits.readGolomb(), &bits, maximum: 63)
        case (_, 7):
            bits.skip(32)
            return valid(bits.readGolomb(), &bits, maximum: 31)
        default:
            bits.skip(8)
            return valid(bits.readGolomb(), &bits, maximum: 255)
        }
    }

    private func valid(_ id: Int, _ bits: inout BitReader, maximum: Int) -> Int? {
        bits.isExhausted || id > maximum ? nil : id
    }
}
