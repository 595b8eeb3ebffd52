import DataPath
import MPEGTS

/// The subject of a note on a source, and the texts of notes. In the order in which they are shown.
enum SourceNote: Int, Sendable, CaseIterable {
    /// A sender that sends no video, or a publisher that was rejected.
    case sender
    /// The stream has several programs.
    case programs
    /// The stream has several audio tracks.
    case tracks
    /// The audio cannot be used as it arrives, or is converted.
    case audio
    /// The audio is left out because its times are too far from those of the video.
    case lateAudio
    /// The relay encodes the source.
    case encoding
    /// The source is faster than real time.
    case pace

    /// Notes audio in another format than the channel's.
    ///
    /// - Parameters:
    ///   - audio: The format of the source's audio.
    ///   - rate: Samples per second of the channel's audio.
    static func mismatchedAudio(_ audio: AACFormat, rate: Int) -> String {
        let channel = AACFormat(sampleRate: rate, channelConfiguration: 2)
        return "its audio is \(audio.profile) at \(audio), the channel's is \(channel): it is converted"
    }

    /// Notes audio that is left out.
    ///
    /// - Parameter lag: How far the audio is behind the video; negative where it is ahead.
    static func lateAudio(_ lag: Duration) -> String {
        let tenths = Int(abs(lag / Duration.milliseconds(100)).rounded())
        let seconds = tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        let place = lag < .zero ? "ahead of" : "behind"
        return "its audio arrives \(seconds) \(place) its video and is left out: silence is sent. Have the encoder send"
            + " audio and video together"
    }

    /// Notes a publisher's audio that no process can convert.
    ///
    /// - Parameter remedy: The fix.
    static func unusable(_ audio: ForeignAudio, _ remedy: String) -> String {
        let unusable = audio.isSeveralTracks ? "and none can be used" : "which cannot be used"
        return "\(audio.statement), \(unusable): silence is sent in \(audio.place); \(remedy)"
    }

    /// Notes a publisher's audio that a process converts. AAC is converted to the channel's format.
    static func converted(_ audio: ForeignAudio) -> String {
        "\(audio.statement): it is converted" + (audio.codec == "aac" ? "" : " to AAC")
    }

    /// Notes a publisher's audio whose process fails.
    static func unconverted(_ audio: ForeignAudio) -> String {
        "\(audio.statement), and its converter fails repeatedly: silence is sent in \(audio.place);"
            + " see the log, or have the encoder send AAC-LC" + (audio.codec == "aac" ? " like the channel's" : "")
    }

    /// Notes an RTMP publisher that was rejected.
    ///
    /// - Parameter why: The reason, with the fix.
    static func rejected(_ why: String) -> String { "the last publisher was rejected: \(why)" }

    /// Notes an RTMP publisher that has sent no video for long.
    static let noVideo = "no video arrives; set the encoder to send H.264 or HEVC, or restart the stream in it"
}

extension ForeignAudio {
    fileprivate var place: String { isSeveralTracks ? "their place" : "its place" }
}
