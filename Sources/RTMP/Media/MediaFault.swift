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
    /// A message is in another codec than those around it.
    case oddMessage
    /// The composition time is one that the frames before do not support, see ``CompositionTimes``; it is taken for
    /// zero.
    case compositionTime
    /// The timestamp is far behind the frames before, or the same for many of them; the frame is dropped.
    case lateTime

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
        case .oddMessage: "message in another codec than the stream"
        case .compositionTime: "impossible composition time"
        case .lateTime: "timestamp far behind the frames before"
        }
    }

    /// The message cannot be used, or part of it.
    package var costsFrames: Bool { self != .compositionTime }

    /// What to do where most messages have it.
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

/// How often each ``MediaFault`` was seen.
package struct MediaFaults: Sendable, Hashable {
    private var counts = [Int](repeating: 0, count: MediaFault.allCases.count)
    package private(set) var total = 0

    package subscript(fault: MediaFault) -> Int { counts[fault.rawValue] }

    /// The one that costs most frames; `nil` where none does.
    package var worst: MediaFault? {
        MediaFault.allCases.filter { $0.costsFrames && self[$0] > 0 }.max { self[$0] < self[$1] }
    }

    mutating func count(_ fault: MediaFault, times: Int = 1) {
        guard times > 0 else { return }
        counts[fault.rawValue] += times
        total += times
    }
}
