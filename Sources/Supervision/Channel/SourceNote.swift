import DataPath
import MPEGTS

/// What a note on a source is about; in the order in which they are shown.
enum SourceNote: Int, Sendable, CaseIterable {
    /// Who sends, where no picture comes of it; and a publisher that was turned away.
    case sender
    /// Several programs came.
    case programs
    /// Several tracks of audio came.
    case tracks
    /// Its audio cannot be used as it comes, or is converted.
    case sound
    /// Its audio is left out because its times are too far from those of its video.
    case lateSound
    /// It is encoded on the way in.
    case encoding
    /// It comes faster than real time.
    case pace

    /// - Parameters:
    ///   - sound: The format of the audio that comes.
    ///   - rate: Samples a second of the channel's.
    static func otherSound(_ sound: AACFormat, rate: Int) -> String {
        let channel = AACFormat(sampleRate: rate, channelConfiguration: 2)
        return "its audio is \(sound.profile) at \(sound), the channel's is \(channel): it is converted"
    }

    /// - Parameter lag: How far the audio is behind its video; negative where it is ahead.
    static func lateSound(_ lag: Duration) -> String {
        let tenths = Int(abs(lag / Duration.milliseconds(100)).rounded())
        let seconds = tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        let place = lag < .zero ? "ahead of" : "behind"
        return "its audio comes \(seconds) \(place) its video and is left out: silence is sent. Have the encoder send"
            + " audio and video together"
    }

    /// Of a publisher's audio that no process can convert.
    ///
    /// - Parameter remedy: What can be done about it.
    static func unusable(_ audio: ForeignAudio, _ remedy: String) -> String {
        let unusable = audio.isSeveralTracks ? "and none can be used" : "which cannot be used"
        return "\(audio.statement), \(unusable): silence is sent in \(audio.place); \(remedy)"
    }

    /// Of a publisher's audio that a process converts: AAC is converted to the format of the channel.
    static func converted(_ audio: ForeignAudio) -> String {
        "\(audio.statement): it is converted" + (audio.codec == "aac" ? "" : " to AAC")
    }

    /// Of a publisher's audio whose process fails.
    static func unconverted(_ audio: ForeignAudio) -> String {
        "\(audio.statement), and what converts it fails again and again: silence is sent in \(audio.place);"
            + " see the log, or have the encoder send AAC-LC" + (audio.codec == "aac" ? " like the channel's" : "")
    }
    /// Of an RTMP publisher that was turned away.
    ///
    /// - Parameter why: Why, and what to do.
    static func turnedAway(_ why: String) -> String { "the last publisher was turned away: \(why)" }

    /// Of an RTMP publisher that has sent no frame of video for long.
    static let noVideo = "no video comes; set the encoder to send H.264 or HEVC, or restart the stream in it"
}

extension ForeignAudio {
    fileprivate var place: String { isSeveralTracks ? "their place" : "its place" }
}
