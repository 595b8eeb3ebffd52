/// The streams that a relay selects from its input, so that audio and video belong together, and the streams that it
/// leaves out.
package struct StreamChoice: Sendable, Hashable {
    package private(set) var map: StreamMap
    /// The selected program. `nil` if the input has none.
    package private(set) var program: InputDescription.ListedProgram?
    package private(set) var video: InputDescription.ListedStream?
    /// `nil` for silence.
    package private(set) var audio: InputDescription.ListedStream?
    /// Programs that are left out.
    package private(set) var otherPrograms: [InputDescription.ListedProgram] = []
    /// Audio that belongs to the selected video and is left out.
    package private(set) var otherAudio: [InputDescription.ListedStream] = []
    /// Whether there are several video streams whose programs are unknown.
    package private(set) var isGuess = false
    /// Whether the audio may belong to a program that is not selected, because the programs are unknown.
    package private(set) var mayBeOtherPrograms = false
    /// Why there is no video to select, for display.
    package private(set) var obstacle: String?

    /// - Parameters:
    ///   - wanted: The number of the program that the configuration names. `nil` selects that of the first video
    ///     stream.
    ///   - former: The number of the program that was selected before. It is kept while it exists.
    ///   - isFlattened: Whether another process wrote the streams one after the other, so that their programs are
    ///     unknown: audio follows its video and precedes the next video.
    package init(of input: InputDescription, program wanted: Int? = nil, former: Int? = nil, isFlattened: Bool = false)
    {
        map = wanted.map(StreamMap.program) ?? .first
        let audios = input.streams.filter { $0.kind == .audio }
        let videos = input.streams.filter { $0.kind == .video }
        if let wanted {
            guard let program = input.programs.first(where: { $0.number == wanted }) else {
                obstacle = "program \(wanted) is not in the stream; \(Self.list(input.programs))"
                return
            }
            take(program, of: input)
            if video == nil { obstacle = "program \(wanted) has no video; \(Self.list(input.programs))" }
        } else if isFlattened {
            takeInOrder(videos, audios)
        } else {
            let kept = input.programs.first { program in
                program.number == former && videos.contains { program.streams.contains($0.index) }
            }
            guard let first = videos.first,
                let program = kept ?? input.programs.first(where: { $0.streams.contains(first.index) })
            else {
                (video, audio) = (videos.first, audios.first)
                otherAudio = Array(audios.dropFirst())
                return
            }
            take(program, of: input)
            // If they are the first streams of the input, the map `.first` selects them too.
            if video != first || audio != audios.first { map = .program(program.number) }
        }
    }

    private mutating func take(_ program: InputDescription.ListedProgram, of input: InputDescription) {
        self.program = program
        let streams = input.streams.filter { program.streams.contains($0.index) }
        video = streams.first { $0.kind == .video }
        let audios = streams.filter { $0.kind == .audio }
        audio = audios.first
        otherAudio = Array(audios.dropFirst())
        if !input.isAdaptive { otherPrograms = input.programs.filter { $0 != program } }
    }

    private mutating func takeInOrder(
        _ videos: [InputDescription.ListedStream], _ audios: [InputDescription.ListedStream]
    ) {
        video = videos.first
        guard let video else {
            audio = audios.first
            return
        }
        isGuess = videos.count > 1
        let next = videos.dropFirst().first?.index ?? .max
        var own = audios.filter { $0.index > video.index && $0.index < next }
        // A single program may list its audio first.
        if own.isEmpty, videos.count == 1 { own = audios }
        audio = own.first
        otherAudio = Array(own.dropFirst())
        mayBeOtherPrograms = audio != nil
        if audio != audios.first { map = .streams(video: video.index, audio: audio?.index) }
    }

    // MARK: Notes

    /// Says that there are several programs, and names the one that is used, or says that it is unknown. `nil` if there
    /// is one.
    package var programNote: String? {
        if isGuess {
            let note =
                audio == nil
                ? "without audio" : "with the audio that follows it, which may belong to another program"
            return "the source has several video streams: the first is used, \(note);"
                + " FFmpeg does not list the programs of a source with a secret"
        }
        if mayBeOtherPrograms {
            return "the audio may belong to another program if the source has several:"
                + " FFmpeg does not list the programs of a source with a secret"
        }
        guard let program, !otherPrograms.isEmpty else { return nil }
        let others = otherPrograms.prefix(Self.mostNames).map { Self.name($0) }.joined(separator: ", ")
        return
            """
            the source has several programs: \(Self.name(program)) is used, \(others) \
            \(otherPrograms.count == 1 ? "is" : "are") not; set program: to choose another
            """
                + (audio == nil ? "; it has no audio" : "")
    }

    /// Says that there are several audio tracks, and names the one that is used. `nil` if there is one.
    package var trackNote: String? {
        guard let audio, !otherAudio.isEmpty else { return nil }
        let others = otherAudio.prefix(Self.mostNames).map { Self.name($0) }.joined(separator: ", ")
        return
            """
            the source has several audio tracks: \(Self.name(audio)) is used, \(others) \
            \(otherAudio.count == 1 ? "is" : "are") not
            """
    }

    /// The most names in a sentence.
    private static let mostNames = 8

    private static func name(_ program: InputDescription.ListedProgram) -> String {
        "\(program.number)" + (program.name.map { " (\($0))" } ?? "")
    }

    private static func name(_ stream: InputDescription.ListedStream) -> String {
        "stream \(stream.index) (\([stream.language, stream.codec].compactMap(\.self).joined(separator: ", ")))"
    }

    private static func list(_ programs: [InputDescription.ListedProgram]) -> String {
        programs.isEmpty
            ? "it has no programs" : "it has " + programs.prefix(mostNames).map { name($0) }.joined(separator: ", ")
    }
}
