/// What can be wrong with a message of media. Each is counted; none ends the connection.
package enum MediaFault: Int, Error, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// The message is shorter than its own header.
    case shortMessage
    /// The sequence header cannot be read; the one before stays in force.
    case unreadableHeader
    /// A frame comes before the sequence header of its codec.
    case missingHeader
    /// A frame comes before the first keyframe of its codec.
    case missingKeyframe
    /// The message ends in the middle of a NAL unit's length.
    case truncatedUnit
    /// A NAL unit is longer than the message that it is in.
    case wrongLength
    /// A NAL unit or a frame of audio without bytes. Of a video message the other NAL units are kept.
    case emptyUnit
    /// A frame is larger than a feed takes, or has more NAL units than ``NALUnits/most``.
    case oversizedUnit
    /// The composition time is further from the decoding time than any decoder reorders; it is taken for zero.
    case compositionTime

    /// For the log. It holds nothing that the publisher sent.
    package var description: String {
        switch self {
        case .shortMessage: "message shorter than its header"
        case .unreadableHeader: "unreadable sequence header"
        case .missingHeader: "frame before its sequence header"
        case .missingKeyframe: "frame before the first keyframe"
        case .truncatedUnit: "truncated NAL unit"
        case .wrongLength: "NAL unit longer than its message"
        case .emptyUnit: "empty unit"
        case .oversizedUnit: "oversized unit"
        case .compositionTime: "impossible composition time"
        }
    }
}

/// How often each ``MediaFault`` was seen.
package struct MediaFaults: Sendable, Hashable {
    private var counts = [Int](repeating: 0, count: MediaFault.allCases.count)

    package subscript(fault: MediaFault) -> Int { counts[fault.rawValue] }

    package var total: Int { counts.reduce(0, +) }

    mutating func count(_ fault: MediaFault, times: Int = 1) {
        if times > 0 { counts[fault.rawValue] += times }
    }
}
