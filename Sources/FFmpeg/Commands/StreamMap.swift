/// Which streams of its input a relay takes.
package enum StreamMap: Sendable, Hashable {
    /// The first video and the first audio stream.
    case first
    /// The first video and the first audio stream of the program with this number.
    case program(Int)
    /// By position in the input. No audio if `audio` is `nil`.
    case streams(video: Int, audio: Int?)

    var arguments: [String] {
        switch self {
        case .first: TransportStreamOutput.mapFirstStreams
        // The video map has no `?`, so FFmpeg fails if there is no such stream. If both maps were optional and neither
        // matched, FFmpeg would select streams by its own rules.
        case .program(let number): ["-map", "0:p:\(number):v:0", "-map", "0:p:\(number):a:0?"]
        case .streams(let video, let audio): ["-map", "0:\(video)"] + (audio.map { ["-map", "0:\($0)"] } ?? [])
        }
    }
}
