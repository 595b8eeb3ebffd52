/// Audio that a feed does not carry as it comes.
package struct ForeignAudio: Sendable, Hashable {
    /// The name for people: `MP3`.
    package var name: String
    /// FFmpeg's name of the codec; `nil` where FFmpeg cannot take it.
    package var codec: String?
    /// A description that begins a sentence: `its audio is MP3`.
    package var statement: String
    /// Whether several tracks come at once, and none of them can be used.
    package var isSeveralTracks: Bool

    /// - Parameter statement: `nil` for the statement of a codec with a name.
    package init(name: String, codec: String?, statement: String? = nil, isSeveralTracks: Bool = false) {
        self.name = name
        self.codec = codec
        self.statement = statement ?? "its audio is \(name)"
        self.isSeveralTracks = isSeveralTracks
    }
}
