import Redaction

/// Programs and streams of an input, as FFmpeg lists them at level `info` before it reads further.
package struct InputDescription: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case video = "Video"
        case audio = "Audio"
        case other
    }

    package struct ListedStream: Sendable, Hashable {
        /// Its position among all streams of the input.
        package var index: Int
        package var kind: Kind
        /// FFmpeg's name: `mpeg2video`.
        package var codec: String
        /// The language, as the sender declares it: `eng`.
        package var language: String?
    }

    package struct ListedProgram: Sendable, Hashable {
        package var number: Int
        /// The name of the service, as the sender declares it.
        package var name: String?
        /// Indexes of its streams. A stream may belong to several programs.
        package var streams: [Int]
    }

    /// FFmpeg's name for the container: `mpegts`.
    package private(set) var format = ""
    package private(set) var programs: [ListedProgram] = []
    /// The streams, in the order of the input.
    package private(set) var streams: [ListedStream] = []
    /// Whether the list is complete.
    package private(set) var isWhole = false
    private var isOpen = false
    /// Whether the following lines belong to the last program.
    private var isInProgram = false

    /// The most programs and the most streams that are kept of one input: the sender decides how many it lists.
    private static let most = 256
    /// The most characters that are kept of a name.
    private static let longestName = 32

    package init() {}

    /// Whether the programs are versions of the same content, of which a player selects one.
    var isAdaptive: Bool { ["hls", "dash"].contains { format.hasPrefix($0) } }

    /// Reads a line of the relay's log.
    ///
    /// - Returns: Whether the list is complete with this line.
    package mutating func consume(_ line: LogLine) -> Bool {
        guard !isWhole else { return false }
        guard isOpen else {
            guard line.level == .info, line.text.hasPrefix(Self.start) else { return false }
            isOpen = true
            let rest = line.text.dropFirst(Self.start.count)
            format = String(rest[..<(rest.firstRange(of: ", from ")?.lowerBound ?? rest.endIndex)])
            return false
        }
        // A name with a line break continues in a line without a level. Libraries print such lines too.
        guard let level = line.level else { return false }
        guard level == .info, line.text.hasPrefix("  ") else {
            isWhole = true
            return true
        }
        note(line.text.drop { $0 == " " }, indent: line.text.prefix { $0 == " " }.count)
        return false
    }

    private static let start = "Input #0, "

    private mutating func note(_ text: Substring, indent: Int) {
        if indent == 2, text.hasPrefix("Program "), let number = Int(text.dropFirst(8).prefix { $0.isNumber }) {
            isInProgram = programs.count < Self.most
            if isInProgram { programs.append(ListedProgram(number: number, name: nil, streams: [])) }
        } else if indent == 2, text.hasPrefix("No Program") {
            isInProgram = false
        } else if indent <= 4, text.hasPrefix("Stream #0:") {
            note(stream: text.dropFirst(10))
        } else if isInProgram, programs[programs.count - 1].streams.isEmpty, text.hasPrefix("service_name") {
            guard let colon = text.firstIndex(of: ":") else { return }
            programs[programs.count - 1].name = Self.shown(text[text.index(after: colon)...])
        }
    }

    /// Reads `0[0x100](eng): Audio: ac3 (AC-3 / 0x332D4341), …`.
    private mutating func note(stream text: Substring) {
        let digits = text.prefix { $0.isNumber }
        guard let index = Int(digits), let mark = text.firstRange(of: ": ") else { return }
        var language: String?
        let head = text[digits.endIndex..<mark.lowerBound]
        if let opening = head.lastIndex(of: "("), head.hasSuffix(")") {
            let word = Self.shown(head[head.index(after: opening)...].dropLast())
            language = word == "und" ? nil : word
        }
        let rest = text[mark.upperBound...]
        let word = rest.prefix { $0 != ":" }
        let codec = rest.dropFirst(word.count).drop { $0 == ":" || $0 == " " }.prefix { $0 != " " && $0 != "," }
        if isInProgram { programs[programs.count - 1].streams.append(index) }
        guard streams.count < Self.most, !streams.contains(where: { $0.index == index }) else { return }
        streams.append(
            ListedStream(
                index: index, kind: Kind(rawValue: String(word)) ?? .other, codec: String(codec), language: language)
        )
        streams.sort { $0.index < $1.index }
    }

    /// Makes a text from the sender safe to show. `nil` if it is empty.
    private static func shown(_ text: Substring) -> String? {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return words.isEmpty ? nil : ControlCharacters.escaped(in: String(words.prefix(longestName)))
    }
}
