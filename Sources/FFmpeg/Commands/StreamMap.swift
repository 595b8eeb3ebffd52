/// Which streams of its input a relay takes.
package enum StreamMap: Sendable, Hashable {
    /// The first picture and the first sound.
    case first
    /// The first picture and the first sound of the program of this number.
    case program(Int)
    /// By their places in the input; no sound where `audio` is `nil`.
    case streams(video: Int, audio: Int?)

    var arguments: [String] {
        switch self {
        case .first: TransportStreamOutput.mapping
        // The picture has to be there: where no map fits, FFmpeg takes the streams that it thinks best.
        case .program(let number): ["-map", "0:p:\(number):v:0", "-map", "0:p:\(number):a:0?"]
        case .streams(let video, let audio): ["-map", "0:\(video)"] + (audio.map { ["-map", "0:\($0)"] } ?? [])
        }
    }
}
