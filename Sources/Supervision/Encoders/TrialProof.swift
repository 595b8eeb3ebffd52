import EncoderSelection
import MPEGTS
import SystemPackage

/// Checks whether the stream that a trial encoded would be good enough for a group.
enum TrialProof {
    /// - Returns: The flaw of the stream, for display. `nil` if it has none.
    static func flaw(in stream: FileDescriptor) -> String? {
        var parser = UnitParser(capacity: 256 << 10)
        var frames = 0
        var keyframes = 0
        var last: Int64?
        var offset: Int64 = 0
        while true {
            while let event = parser.next() {
                guard case .unit(let unit) = event, unit.kind == .video else { continue }
                if let last, unit.pts <= last { return "its frames are not in order" }
                last = unit.pts
                frames += 1
                guard unit.isKeyframe else { continue }
                keyframes += 1
                guard parser.keyframeHasParameterSet else {
                    return "a keyframe has no parameter sets before it, so no reader could begin there"
                }
            }
            let room = parser.prepare()
            guard let count = try? stream.read(fromAbsoluteOffset: offset, into: room), count > 0 else { break }
            parser.commit(count)
            offset += Int64(count)
        }
        // The parser keeps the last frame until another one follows.
        if frames < TrialCommand.frames - 1 { return "only \(frames) of \(TrialCommand.frames) frames came out" }
        if keyframes < TrialCommand.keyframes { return "it makes no keyframe where one is asked for" }
        return nil
    }
}
