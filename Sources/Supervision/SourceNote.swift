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

    /// - Parameter codec: Of the audio that comes.
    static func foreignAudio(_ codec: String) -> String {
        "its audio is \(codec), which cannot be used: silence is sent in its place; have the encoder send AAC-LC"
    }
}
