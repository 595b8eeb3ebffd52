import MPEGTS
import MediaTypes

/// Scans the NAL units of one frame: whether it is a keyframe, and its size in Annex B form.
struct FrameScan {
    /// Whether a decoder with the parameter sets can start here.
    private(set) var isKeyframe = false
    private(set) var hasSlice = false
    /// The size of the NAL units that are always copied, with their start codes, in bytes.
    private(set) var size = 0
    /// The size of the parameter sets, with their start codes, in bytes.
    private(set) var parameterSetSize = 0

    /// - Parameters:
    ///   - bytes: NAL units after their lengths, which have been checked.
    ///   - isMarked: Whether the publisher marks it as a keyframe.
    ///   - sets: Receives the parameter sets of the frame.
    init(_ bytes: Bytes, isMarked: Bool, sets: inout ParameterSets) {
        var isRecovery = false
        var parameterSets = 0
        defer { sets.rebuild() }
        for nal in NALUnits(bytes, lengthSize: sets.lengthSize) {
            let kind = NALUnitKind(nal, sets.codec)
            let count = ParameterSets.startCode.count + nal.count
            switch kind {
            case .parameterSet:
                parameterSets += 1
                if parameterSets <= ParameterSets.maximumSets { sets.adopt(nal) }
            case .recoveryPoint: isRecovery = true
            case .randomAccessSlice: isKeyframe = true
            case .slice where !hasSlice:
                isKeyframe = sets.codec == .h264 && (isMarked || isRecovery) && Self.isIntra(nal)
            case .slice, .accessUnitDelimiter, .other: break
            }
            if kind == .slice || kind == .randomAccessSlice { hasSlice = true }
            if case .parameterSet = kind {
                parameterSetSize += count
            } else if !MediaUnit.leavesOut(kind, isKeyframe: false) {
                size += count
            }
        }
    }

    /// Whether `slice_type` says that every macroblock is intra (ITU-T H.264, table 7-6).
    private static func isIntra(_ nal: Bytes) -> Bool {
        var bits = BitReader(unescaping: nal.dropFirst().prefix(16))
        _ = bits.readGolomb()
        return [2, 4, 7, 9].contains(bits.readGolomb()) && !bits.isExhausted
    }
}
