import MediaTypes

/// Scans the first NAL units of an access unit: whether decoding can start there, and with which parameter set.
struct AccessUnitScan {
    /// Whether decoding can start here.
    var isKeyframe = false
    /// The position of the sequence parameter set in the scanned bytes, including the NAL header.
    var parameterSet: Range<Int>?
    /// Whether the first slice was found. If not, more bytes of the unit have to be scanned.
    var sawSlice = false

    /// - Parameters:
    ///   - randomAccess: The packet's `random_access_indicator`. It is only a hint: some muxers never set it, others
    ///     set it on frames that no decoder can start with.
    ///   - isCut: Whether the unit continues after the bytes.
    init(_ bytes: UnsafeBufferPointer<UInt8>, codec: VideoCodec, randomAccess: Bool, isCut: Bool = false) {
        var recoveryPoint = false
        var start = AccessUnitScan.nextUnit(bytes, from: 0)
        while let nal = start, !sawSlice {
            guard nal < bytes.count else { return }
            let next = AccessUnitScan.nextUnit(bytes, from: nal)
            let end = next.map { AccessUnitScan.trimmedEnd(bytes, from: nal, to: $0 - 3) } ?? bytes.count
            switch codec {
            case .h264:
                switch bytes[nal] & 0x1F {
                case 5:
                    isKeyframe = true
                    sawSlice = true
                case 1, 2:
                    // The beginning of the slice header is needed; it is much shorter than this.
                    if isCut, nal + 17 > bytes.count { return }
                    sawSlice = true
                    isKeyframe =
                        parameterSet != nil && (recoveryPoint || randomAccess)
                        && AccessUnitScan.isIntraSlice(bytes, nal)
                case 6:
                    recoveryPoint = recoveryPoint || nal + 1 < end && bytes[nal + 1] == 6
                case 7 where next != nil:
                    parameterSet = nal..<end
                default:
                    break
                }
            case .hevc:
                switch bytes[nal] >> 1 & 0x3F {
                case 16...21:
                    isKeyframe = true
                    sawSlice = true
                case 0...9:
                    sawSlice = true
                case 33 where next != nil:
                    parameterSet = nal..<end
                default:
                    break
                }
            case .av1:
                // MPEG-TS has no stream type for it.
                return
            }
            start = next
        }
    }

    /// The offset after the next start code at or after `from`.
    private static func nextUnit(_ bytes: UnsafeBufferPointer<UInt8>, from: Int) -> Int? {
        var index = from + 2
        while index < bytes.count {
            switch bytes[index] {
            case 0: index += 1
            case 1 where bytes[index - 1] == 0 && bytes[index - 2] == 0: return index + 1
            default: index += 3
            }
        }
        return nil
    }

    private static func trimmedEnd(_ bytes: UnsafeBufferPointer<UInt8>, from: Int, to: Int) -> Int {
        var end = to
        while end > from, bytes[end - 1] == 0 { end -= 1 }
        return end
    }

    /// Whether `slice_type` says that every macroblock is intra (ITU-T H.264, table 7-6: 2, 4, 7, 9).
    private static func isIntraSlice(_ bytes: UnsafeBufferPointer<UInt8>, _ nal: Int) -> Bool {
        var bits = BitReader(unescaping: bytes[(nal + 1)..<min(nal + 17, bytes.count)])
        _ = bits.readGolomb()
        return [2, 4, 7, 9].contains(bits.readGolomb()) && !bits.isExhausted
    }
}
