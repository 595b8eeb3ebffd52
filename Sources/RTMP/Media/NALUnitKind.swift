import MPEGTS
import MediaTypes

/// The kind of a NAL unit, as far as a feed needs it.
enum NALUnitKind: Hashable {
    /// A parameter set, by its `nal_unit_type`.
    case parameterSet(UInt8)
    case accessUnitDelimiter
    /// A slice of a frame that a decoder can start with.
    case randomAccessSlice
    case slice
    /// An SEI whose first message is a recovery point.
    case recoveryPoint
    case other

    /// - Parameter nal: Not empty.
    init(_ nal: Bytes, _ codec: VideoCodec) {
        self =
            switch codec {
            case .h264: Self.h264(nal)
            case .hevc: Self.hevc(nal)
            case .av1: .other
            }
    }

    /// ITU-T H.264, table 7-1; payload types of SEI in D.1.
    private static func h264(_ nal: Bytes) -> Self {
        switch nal[0] & 0x1F {
        case 1, 2: .slice
        case 5: .randomAccessSlice
        case 6: nal.count > 1 && nal[1] == 6 ? .recoveryPoint : .other
        case 7, 8: .parameterSet(nal[0] & 0x1F)
        case 9: .accessUnitDelimiter
        default: .other
        }
    }

    /// ITU-T H.265, table 7-1.
    private static func hevc(_ nal: Bytes) -> Self {
        switch nal[0] >> 1 & 0x3F {
        case 0...9: .slice
        case 16...21: .randomAccessSlice
        case 32...34: .parameterSet(nal[0] >> 1 & 0x3F)
        case 35: .accessUnitDelimiter
        default: .other
        }
    }
}
