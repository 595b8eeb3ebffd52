import DataPath
import TransportStream

/// What a note on a source is about; in the order in which they are shown.
enum SourceNote: Int, Sendable, CaseIterable {
    /// Who sends, where no picture comes of it.
    case sender
    /// Several programs came.
    case programs
    /// Several tracks of sound came.
    case tracks
    /// Its audio cannot be used as it comes, or is converted.
    case sound
    /// Its sound is left out because its times are too far from those of its picture.
    case lateSound
    /// It is encoded on the way in.
    case encoding
    /// It comes faster than real time.
    case pace

    /// - Parameters:
    ///   - sound: What the sound is in that comes.
    ///   - rate: Samples a second of the channel's.
    static func otherSound(_ sound: AACFormat, rate: Int) -> String {
        let channel = AACFormat(sampleRate: rate, channelConfiguration: 2)
        return "its sound is \(sound.profile) at \(sound), the channel's is \(channel): it is converted"
    }

    /// - Parameter lag: How far the sound is behind its picture; negative where it is ahead.
    static func lateSound(_ lag: Duration) -> String {
        let tenths = Int(abs(lag / Duration.milliseconds(100)).rounded())
        let seconds = tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        let place = lag < .zero ? "ahead of" : "behind"
        return "its sound comes \(seconds) \(place) its picture and is left out: silence is sent. Have the encoder send"
            + " sound and picture together"
    }

    /// Of a publisher's audio that no process can convert.
    ///
    /// - Parameters:
    ///   - name: What comes.
    ///   - remedy: What can be done about it.
    static func unusable(_ name: String, _ remedy: String) -> String {
        "its audio is \(name), which cannot be used: silence is sent in its place; \(remedy)"
    }

    /// Of a publisher's audio that a process converts: AAC is converted to the format of the channel.
    static func converted(_ audio: ForeignAudio) -> String {
        "its sound is \(audio.name): it is converted" + (audio.codec == "aac" ? "" : " to AAC")
    }

    /// Of a publisher's audio whose process fails.
    static func unconverted(_ audio: ForeignAudio) -> String {
        "its audio is \(audio.name), and what converts it fails again and again: silence is sent in its place;"
            + " see the log, or have the encoder send AAC-LC" + (audio.codec == "aac" ? " like the channel's" : "")
    }
}
