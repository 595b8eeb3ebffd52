import CLibYAML

/// The events of one YAML text, one after the other. Only this type uses libyaml.
final class YAMLEvents {
    struct Event {
        enum Kind {
            case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd
            case alias(String)
            case scalar(String, plain: Bool)
            case sequenceStart, mappingStart
        }

        let kind: Kind
        let location: FileLocation
        /// The name by which aliases repeat the value.
        var anchor: String?
        /// The full tag: `tag:yaml.org,2002:int`. `nil` without a tag.
        var tag: String?
    }

    /// Why the text is not YAML.
    struct Mistake: Error {
        let problem: String
        /// `nil` if the library reports no location.
        let location: FileLocation?
        /// The construct that the library was reading, and the line at which it begins.
        var context: (text: String, line: Int)?
    }

    // Neither may move: the library keeps pointers into both.
    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ text: String) {
        let bytes = Array(text.utf8)
        self.text = .allocate(capacity: bytes.count)
        _ = self.text.initialize(from: bytes)
        guard yaml_parser_initialize(parser) == 1 else { fatalError("no memory for a YAML parser") }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, self.text.baseAddress, self.text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        text.deallocate()
    }

    /// - Throws: ``Mistake``; there are no events after one.
    func next() throws(Mistake) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw mistake() }
        defer { yaml_event_delete(&event) }
        let location = Self.location(event.start_mark)
        switch event.type {
        case YAML_STREAM_END_EVENT: return Event(kind: .streamEnd, location: location)
        case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, location: location)
        case YAML_DOCUMENT_END_EVENT: return Event(kind: .documentEnd, location: location)
        case YAML_SEQUENCE_END_EVENT: return Event(kind: .sequenceEnd, location: location)
        case YAML_MAPPING_END_EVENT: return Event(kind: .mappingEnd, location: location)
        case YAML_ALIAS_EVENT:
            return Event(kind: .alias(Self.string(event.data.alias.anchor) ?? ""), location: location)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let value = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return Event(
                kind: .scalar(value, plain: scalar.style == YAML_PLAIN_SCALAR_STYLE), location: location,
                anchor: Self.string(scalar.anchor),
                tag: Self.string(scalar.tag))
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return Event(
                kind: .sequenceStart, location: location, anchor: Self.string(start.anchor), tag: Self.string(start.tag)
            )
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return Event(
                kind: .mappingStart, location: location, anchor: Self.string(start.anchor), tag: Self.string(start.tag))
        default: return Event(kind: .streamStart, location: location)
        }
    }

    private func mistake() -> Mistake {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
        switch parser.pointee.error {
        case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
            let context = parser.pointee.context.map {
                (text: String(cString: $0), line: Self.location(parser.pointee.context_mark).line)
            }
            return Mistake(problem: problem, location: Self.location(parser.pointee.problem_mark), context: context)
        default: return Mistake(problem: problem, location: nil)
        }
    }

    private static func location(_ mark: yaml_mark_t) -> FileLocation {
        FileLocation(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }

    private static func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        text.map { String(cString: $0) }
    }
}
