/// What a note on a source is about; in the order in which they are shown.
enum SourceNote: Int, Sendable, CaseIterable {
    /// Who sends, where no picture comes of it.
    case sender
    /// Several programs came.
    case programs
    /// Several tracks of sound came.
    case tracks
    /// Its audio cannot be used as it comes.
    case sound
    /// It is encoded on the way in.
    case encoding
    /// It comes faster than real time.
    case pace

    /// - Parameter codec: Of the audio that comes.
    static func foreignAudio(_ codec: String) -> String {
        "its audio is \(codec), which cannot be used: silence is sent in its place; have the encoder send AAC-LC"
    }
}
