/// A fault of a media message. Faults are counted; none closes the connection.
package enum MediaFault: Int, Error, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// The message is shorter than its own header.
    case shortMessage
    /// The sequence header cannot be read; the previous one stays valid.
    case unreadableHeader
    /// A frame arrives before the sequence header of its codec.
    case missingHeader
    /// A frame arrives before the first keyframe of its codec.
    case missingKeyframe
    /// The message ends in the middle of a NAL unit's length.
    case truncatedUnit
    /// A NAL unit is longer than the message that it is in.
    case wrongLength
    /// A NAL unit or an audio frame is empty. The other NAL units of a video message are kept.
    case emptyUnit
    /// A frame is larger than the limit of a feed, or has more NAL units than ``NALUnits/maximum``.
    case oversizedUnit
    /// A message is in another codec than those around it.
    case oddMessage
    /// The composition time does not fit the previous frames, see ``CompositionTimes``; zero is used instead.
    case compositionTime
    /// The timestamp is far behind the previous frames, or the same for many of them; the frame is dropped.
    case lateTime

    /// For the log. It contains nothing that the publisher sent.
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
        case .oddMessage: "message in another codec than the stream"
        case .compositionTime: "impossible composition time"
        case .lateTime: "timestamp far behind the frames before"
        }
    }

    /// Whether the message, or part of it, cannot be used.
    package var costsFrames: Bool { self != .compositionTime }

    /// The remedy if most messages have this fault.
    package var remedy: String {
        switch self {
        case .missingKeyframe: "set the encoder's keyframe interval to 2 s"
        case .oversizedUnit: "set a lower bitrate in the encoder"
        case .oddMessage: "set the encoder to one codec"
        case .shortMessage, .unreadableHeader, .missingHeader, .truncatedUnit, .wrongLength, .emptyUnit,
            .compositionTime, .lateTime:
            "restart the stream in the encoder"
        }
    }
}

/// The number of faults, by ``MediaFault``.
package struct MediaFaults: Sendable, Hashable {
    private var counts = [Int](repeating: 0, count: MediaFault.allCases.count)
    package private(set) var total = 0

    package subscript(fault: MediaFault) -> Int { counts[fault.rawValue] }

    /// The fault that costs most frames; `nil` if none does.
    package var worst: MediaFault? {
        MediaFault.allCases.filter { $0.costsFrames && self[$0] > 0 }.max { self[$0] < self[$1] }
    }

    mutating func count(_ fault: MediaFault, times: Int = 1) {
        guard times > 0 else { return }
        counts[fault.rawValue] += times
        total += times
    }
}
