/// Parses the text of a file into a tree of values with locations, or reports why it is not YAML.
struct YAMLDocument {
    /// The whole file. `nil` if it is empty or cannot be used.
    private(set) var root: YAMLNode?
    private(set) var problems: [(location: FileLocation, message: String)] = []

    /// The deepest nesting that is accepted. No configuration needs as much.
    static let depthLimit = 32
    /// The most values that are accepted. No configuration needs as many. A value counts again for each alias of it.
    static let nodeLimit = 50_000
    /// The most aliases before the last anchor. Only these can multiply each other.
    static let nestedAliasLimit = 24
    static let aliasLimit = 1000

    private var nodes = 0
    private var anchors: [String: Anchored] = [:]

    /// A value that aliases repeat.
    private struct Anchored {
        let value: Value
        /// The number of its nodes, including itself.
        let nodes: Int
    }

    private struct Value {
        let node: YAMLNode
        /// The number of levels below it.
        var height = 0
    }

    /// The file cannot be used. The problems say why.
    private struct Unusable: Error {}

    init(_ text: String) {
        var text = text
        if text.unicodeScalars.first?.value == 0xFEFF { text.unicodeScalars.removeFirst() }
        if let location = SourceText.locationOfControlCharacter(text) {
            problems.append((location, "there is a control character here; YAML is plain text, remove it"))
            return
        }
        if let location = Self.locationOfTooManyAliases(text) {
            problems.append(
                (location, "there are too many anchors and aliases that use each other; write the values out"))
            return
        }
        do {
            root = try compose(YAMLEvents(text))
        } catch let mistake as YAMLEvents.Mistake {
            // Problems that were found earlier may be consequences of this mistake.
            problems = [Self.problem(mistake, in: text)]
        } catch {
            // Already reported.
        }
    }

    private static func problem(_ mistake: YAMLEvents.Mistake, in text: String) -> (FileLocation, String) {
        var message = "this is not valid YAML: \(mistake.problem)"
        guard let location = mistake.location else { return (FileLocation(line: 1, column: 1), message) }
        if let context = mistake.context, !context.text.isEmpty {
            message += " \(context.text)"
            if context.line != location.line { message += " that begins in line \(context.line)" }
        }
        let scalars = Array(text.unicodeScalars)
        if let index = SourceText.index(of: location, in: scalars) {
            switch scalars[index] {
            case "\t": message += "; indent with spaces, not with tabs"
            case "@", "`", "%": message += "; put the value in quotes"
            default: break
            }
        }
        return (location, message)
    }

    // MARK: Composing

    /// - Throws: ``YAMLEvents/Mistake``; ``Unusable``.
    private mutating func compose(_ events: YAMLEvents) throws -> YAMLNode? {
        _ = try events.next()
        guard case .documentStart = try events.next().kind else { return nil }
        let root = try value(try events.next(), events, depth: 0).node
        _ = try events.next()
        let end = try events.next()
        if case .streamEnd = end.kind { return root }
        problems = [
            (end.location, "a second YAML document begins here; a configuration is one document, remove the '---'")
        ]
        return nil
    }

    private mutating func value(_ event: YAMLEvents.Event, _ events: YAMLEvents, depth: Int) throws -> Value {
        let before = nodes
        let value: Value
        switch event.kind {
        case .alias(let name):
            guard let anchored = anchors[name] else {
                problems = [
                    (event.location, "this alias has no anchor before it; write '&name' at the value that it repeats")
                ]
                throw Unusable()
            }
            try count(anchored.nodes, depth: depth + anchored.value.height, at: event.location)
            return anchored.value
        case .sequenceStart:
            try count(1, depth: depth, at: event.location)
            noteTag(event)
            value = try sequence(from: event.location, events, depth: depth)
        case .mappingStart:
            try count(1, depth: depth, at: event.location)
            noteTag(event)
            value = try mapping(from: event.location, events, depth: depth)
        case .scalar(let text, let isPlain):
            try count(1, depth: depth, at: event.location)
            noteTag(event)
            value = Value(node: YAMLNode(location: event.location, content: .scalar(text, plain: isPlain)))
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            preconditionFailure("libyaml gives no such event where a value begins")
        }
        if let anchor = event.anchor { anchors[anchor] = Anchored(value: value, nodes: nodes - before) }
        return value
    }

    private mutating func count(_ more: Int, depth: Int, at location: FileLocation) throws {
        nodes += more
        guard depth <= Self.depthLimit, nodes <= Self.nodeLimit else {
            problems.append(
                (
                    location,
                    depth > Self.depthLimit
                        ? "this is nested too deeply; at most \(Self.depthLimit) levels are read"
                        : "the file has too many values; at most \(Self.nodeLimit) are read"
                ))
            throw Unusable()
        }
    }

    private mutating func sequence(from location: FileLocation, _ events: YAMLEvents, depth: Int) throws -> Value {
        var values: [YAMLNode] = []
        var height = 0
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind {
                return Value(node: YAMLNode(location: location, content: .sequence(values)), height: height)
            }
            let value = try value(event, events, depth: depth + 1)
            values.append(value.node)
            height = max(height, value.height + 1)
        }
    }

    private mutating func mapping(from location: FileLocation, _ events: YAMLEvents, depth: Int) throws -> Value {
        var pairs: [YAMLPair] = []
        var lines: [String: Int] = [:]
        var height = 0
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind {
                return Value(node: YAMLNode(location: location, content: .mapping(pairs)), height: height)
            }
            let key = try key(event, events, depth: depth + 1, taken: lines)
            let known = problems.count
            let value = try value(try events.next(), events, depth: depth + 1)
            height = max(height, value.height + 1)
            guard let key else {
                // The value is not used, so its problems do not count.
                problems.removeSubrange(known...)
                continue
            }
            lines[key] = event.location.line
            pairs.append(YAMLPair(key: key, keyLocation: event.location, value: value.node))
        }
    }

    /// - Returns: `nil` for a value that cannot be a key, or a key that the mapping already has. Both are reported.
    private mutating func key(_ event: YAMLEvents.Event, _ events: YAMLEvents, depth: Int, taken: [String: Int]) throws
        -> String?
    {
        let known = problems.count
        let node = try value(event, events, depth: depth).node
        problems.removeSubrange(known...)
        guard case .scalar(let key, _) = node.content else {
            problems.append((event.location, "a key is one word; found \(node.found)"))
            return nil
        }
        if let line = taken[key] {
            problems.append(
                (
                    event.location,
                    "the key '\(Printable.excerpt(key))' appears twice in one mapping, first in line \(line); keep one"
                ))
            return nil
        }
        return key
    }

    /// Reports tags such as `!!int` or `!secret`, which the service does not support.
    private mutating func noteTag(_ event: YAMLEvents.Event) {
        guard let tag = event.tag, !Self.harmlessTags.contains(tag) else { return }
        problems.append((event.location, "YAML tags ('!…') are not supported here; remove the tag"))
    }

    private static let harmlessTags: Set = [
        "", "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map",
    ]

    // MARK: Bounding aliases

    /// Finds the place at which the text has too many aliases. `nil` if it has few enough.
    ///
    /// An alias in an anchored value counts again for each alias of that value, so aliases multiply each other.
    /// Everything that looks like an alias is counted, also in texts and comments. The limits allow enough for every
    /// file that a person writes.
    private static func locationOfTooManyAliases(_ text: String) -> FileLocation? {
        var line = 1
        var column = 0
        var total = 0
        var beforeLastAnchor = 0
        var previous: UInt8 = 0x0A
        var before: UInt8 = 0x0A
        for byte in text.utf8 {
            let begins = [0x09, 0x0A, 0x0D, 0x20, 0x2C, 0x3A, 0x3F, 0x5B, 0x7B].contains(before)
            if begins, isNameByte(byte) {
                if previous == UInt8(ascii: "*") { total += 1 }
                if previous == UInt8(ascii: "&") { beforeLastAnchor = total }
                if total > aliasLimit || beforeLastAnchor > nestedAliasLimit {
                    return FileLocation(line: line, column: max(column, 1))
                }
            }
            if byte == 0x0A {
                line += 1
                column = 0
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
            (before, previous) = (previous, byte)
        }
        return nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && !"[]{},".utf8.contains(byte)
    }
}
