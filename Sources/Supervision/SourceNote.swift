/// What a note on a source is about; in the order in which they are shown.
enum SourceNote: Int, Sendable, CaseIterable {
    /// Who sends, where no picture comes of it.
    case sender
    /// Several programs came.
    case programs
    /// Several tracks of sound came.
    case tracks
    /// It is encoded on the way in.
    case encoding
    /// It comes faster than real time.
    case pace
}
