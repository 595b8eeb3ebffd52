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

    /// Of audio that no process can convert.
    ///
    /// - Parameters:
    ///   - codec: Of the audio that comes.
    ///   - remedy: What can be done about it.
    static func unusable(_ codec: String, _ remedy: String) -> String {
        "its audio is \(codec), which cannot be used: silence is sent in its place; \(remedy)"
    }

    /// Of audio that a process converts.
    static func converted(_ codec: String) -> String { "its sound is \(codec): it is converted to AAC" }

    /// Of audio whose process fails.
    static func unconverted(_ codec: String) -> String {
        "its audio is \(codec), and what converts it to AAC fails again and again: silence is sent in its place;"
            + " see the log, or have the encoder send AAC-LC"
    }
}
