/// What a relay takes of its input, so that picture and sound belong together, and what it leaves out.
package struct StreamChoice: Sendable, Hashable {
    package private(set) var map: StreamMap
    /// The program that is taken; `nil` where the input has none.
    package private(set) var program: InputDescription.Program?
    package private(set) var video: InputDescription.Stream?
    /// `nil` for silence.
    package private(set) var audio: InputDescription.Stream?
    /// Programs that are left out.
    package private(set) var otherPrograms: [InputDescription.Program] = []
    /// Sound that belongs to the picture and is left out.
    package private(set) var otherAudio: [InputDescription.Stream] = []
    /// Several pictures come whose programs are not known.
    package private(set) var isGuess = false
    /// The sound may belong to a program whose picture is not taken, for the programs are not known.
    package private(set) var mayBeOthersSound = false
    /// Why there is no picture to take, for people.
    package private(set) var obstacle: String?

    /// - Parameters:
    ///   - wanted: The number of the program that the configuration names; `nil` for that of the first picture.
    ///   - former: The number of the program that was taken before: it is kept while it is there.
    ///   - isFlattened: Another process wrote the streams one after the other, and their programs are not known: sound
    ///     stands behind its picture and before the next one.
    package init(of input: InputDescription, program wanted: Int? = nil, former: Int? = nil, isFlattened: Bool = false)
    {
        map = wanted.map(StreamMap.program) ?? .first
        let audios = input.streams.filter { $0.kind == .audio }
        let videos = input.streams.filter { $0.kind == .video }
        if let wanted {
            guard let program = input.programs.first(where: { $0.number == wanted }) else {
                obstacle = "program \(wanted) is not in what comes; \(Self.list(input.programs))"
                return
            }
            take(program, of: input)
            if video == nil { obstacle = "program \(wanted) has no picture; \(Self.list(input.programs))" }
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
            // FFmpeg takes the same by itself.
            if video != first || audio != audios.first { map = .program(program.number) }
        }
    }

    private mutating func take(_ program: InputDescription.Program, of input: InputDescription) {
        self.program = program
        let streams = input.streams.filter { program.streams.contains($0.index) }
        video = streams.first { $0.kind == .video }
        let audios = streams.filter { $0.kind == .audio }
        audio = audios.first
        otherAudio = Array(audios.dropFirst())
        if !input.isAdaptive { otherPrograms = input.programs.filter { $0 != program } }
    }

    private mutating func takeInOrder(_ videos: [InputDescription.Stream], _ audios: [InputDescription.Stream]) {
        video = videos.first
        guard let video else {
            audio = audios.first
            return
        }
        isGuess = videos.count > 1
        let next = videos.dropFirst().first?.index ?? .max
        var own = audios.filter { $0.index > video.index && $0.index < next }
        // One program may list its sound first.
        if own.isEmpty, videos.count == 1 { own = audios }
        audio = own.first
        otherAudio = Array(own.dropFirst())
        mayBeOthersSound = audio != nil
        if audio != audios.first { map = .streams(video: video.index, audio: audio?.index) }
    }

    // MARK: For people

    /// That several programs came, and which one is taken, or that this is not known; `nil` when there was one.
    package var programNote: String? {
        if isGuess {
            let sound =
                audio == nil ? "without sound" : "with the sound that follows it, which may belong to another program"
            return "several pictures come: the first is used, \(sound);"
                + " FFmpeg does not tell the programs of a source with a secret"
        }
        if mayBeOthersSound {
            return "the sound may belong to another program where several come:"
                + " FFmpeg does not tell the programs of a source with a secret"
        }
        guard let program, !otherPrograms.isEmpty else { return nil }
        let others = otherPrograms.prefix(Self.mostTold).map { Self.name($0) }.joined(separator: ", ")
        return
            """
            several programs come: \(Self.name(program)) is used, \(others) \
            \(otherPrograms.count == 1 ? "is" : "are") not; program: chooses another
            """
                + (audio == nil ? "; it has no sound" : "")
    }

    /// That several tracks of sound came, and which one is taken; `nil` when there was one.
    package var trackNote: String? {
        guard let audio, !otherAudio.isEmpty else { return nil }
        let others = otherAudio.prefix(Self.mostTold).map { Self.name($0) }.joined(separator: ", ")
        return
            """
            several audio tracks come: \(Self.name(audio)) is used, \(others) \
            \(otherAudio.count == 1 ? "is" : "are") not
            """
    }

    /// Names that a sentence has at the most.
    private static let mostTold = 8

    private static func name(_ program: InputDescription.Program) -> String {
        "\(program.number)" + (program.name.map { " (\($0))" } ?? "")
    }

    private static func name(_ stream: InputDescription.Stream) -> String {
        "stream \(stream.index) (\([stream.language, stream.codec].compactMap(\.self).joined(separator: ", ")))"
    }

    private static func list(_ programs: [InputDescription.Program]) -> String {
        programs.isEmpty
            ? "it has no programs" : "it has " + programs.prefix(mostTold).map { name($0) }.joined(separator: ", ")
    }
}
