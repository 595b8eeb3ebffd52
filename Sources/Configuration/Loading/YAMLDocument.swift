internal import Yams

/// Turns the text of a file into a tree of values with places, or says why it is no YAML. The only
/// place that knows the YAML library.
struct YAMLDocument {
    /// The whole file, or nil when it is empty or not usable.
    private(set) var root: YAMLNode?
    private(set) var problems: [(place: SourceLocation, message: String)] = []

    /// Deeper nesting than any configuration needs.
    static let depthLimit = 32
    /// More values than any configuration needs; aliases count once for every use.
    static let nodeLimit = 50_000
    /// Aliases that may stand before the last anchor: only those can multiply each other.
    static let nestedAliasLimit = 24
    static let aliasLimit = 1000

    private var nodes = 0
    private var isTooLarge = false
    private var keyRenames = KeyRenames()

    init(_ text: String) {
        var text = text
        if text.unicodeScalars.first?.value == 0xFEFF { text.unicodeScalars.removeFirst() }
        if let place = SourceText.placeOfControlCharacter(text) {
            problems.append((place, "there is a control character here; YAML is plain text, remove it"))
            return
        }
        if let place = Self.placeOfTooManyAliases(text) {
            problems.append((place, "there are too many anchors and aliases that use each other; write the values out"))
            return
        }
        guard let node = compose(text) else { return }
        root = convert(node, depth: 0)
        if isTooLarge { root = nil }
    }

    // MARK: Composing

    /// The library gives up at the first key that stands twice in a mapping. That key is renamed
    /// in the text, keeping every column, and the text is read again: so the second place is known,
    /// and the mistakes after it are found too.
    private mutating func compose(_ text: String) -> Node? {
        var text = text
        for _ in 0..<KeyRenames.limit {
            do {
                return try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                let place = SourceLocation(line: context.mark.line, column: context.mark.column)
                if let renamed = keyRenames.rename(at: place, in: text) {
                    text = renamed
                    continue
                }
                let key = keys.first.map { " '\(Printable.excerpt($0))'" } ?? ""
                problems.append((place, "the key\(key) stands twice in one mapping; keep one"))
            } catch let error as YamlError {
                problems.append(Self.problem(error, in: text))
            } catch {
                problems.append((SourceLocation(line: 1, column: 1), "this is not valid YAML"))
            }
            return nil
        }
        problems.append((SourceLocation(line: 1, column: 1), "too many keys stand twice; keep one of each"))
        return nil
    }

    private static func problem(_ error: YamlError, in text: String) -> (SourceLocation, String) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let place = SourceLocation(line: max(mark.line, 1), column: max(mark.column, 1))
            if problem.contains("another document") {
                return (place, "a second YAML document begins here; a configuration is one document, remove the '---'")
            }
            if problem.contains("undefined alias") {
                return (place, "this alias has no anchor before it; write '&name' at the value that it repeats")
            }
            var message = "this is not valid YAML: \(problem)"
            if let context, !context.text.isEmpty {
                message += " \(context.text)"
                if context.mark.line != mark.line { message += " that begins in line \(context.mark.line)" }
            }
            let scalars = Array(text.unicodeScalars)
            if let index = SourceText.index(of: place, in: scalars) {
                switch scalars[index] {
                case "\t": message += "; indent with spaces, not with tabs"
                case "@", "`", "%": message += "; put the value in quotes"
                default: break
                }
            }
            return (place, message)
        case .reader(let problem, _, _, _):
            return (SourceLocation(line: 1, column: 1), "this is not valid YAML: \(problem)")
        default:
            return (SourceLocation(line: 1, column: 1), "this is not valid YAML")
        }
    }

    // MARK: Converting

    private mutating func convert(_ node: Node, depth: Int) -> YAMLNode {
        let place = node.mark.map { SourceLocation(line: $0.line, column: $0.column) } ?? .none
        nodes += 1
        guard depth <= Self.depthLimit, nodes <= Self.nodeLimit else {
            if !isTooLarge {
                isTooLarge = true
                problems.append(
                    (place, depth > Self.depthLimit
                        ? "this is nested too deeply; at most \(Self.depthLimit) levels are read"
                        : "the file has too many values; at most \(Self.nodeLimit) are read"))
            }
            return YAMLNode(place: place, content: .scalar("", plain: true))
        }
        switch node {
        case .scalar(let scalar):
            noteTag(node, place)
            return YAMLNode(place: place, content: .scalar(scalar.string, plain: scalar.style == .plain))
        case .sequence(let sequence):
            noteTag(node, place)
            var values: [YAMLNode] = []
            for value in sequence {
                if isTooLarge { break }
                values.append(convert(value, depth: depth + 1))
            }
            return YAMLNode(place: place, content: .sequence(values))
        case .mapping(let mapping):
            noteTag(node, place)
            return YAMLNode(place: place, content: .mapping(pairs(mapping, depth: depth)))
        case .alias:
            return YAMLNode(place: place, content: .scalar("", plain: true))
        }
    }

    private mutating func pairs(_ mapping: Node.Mapping, depth: Int) -> [YAMLPair] {
        var pairs: [YAMLPair] = []
        var lines: [String: Int] = [:]
        for (keyNode, valueNode) in mapping {
            if isTooLarge { break }
            let keyPlace = keyNode.mark.map { SourceLocation(line: $0.line, column: $0.column) } ?? .none
            guard case .scalar(let scalar) = keyNode else {
                problems.append((keyPlace, "a key is one word; found \(keyNode.mapping == nil ? "a list" : "a mapping")"))
                continue
            }
            let key = keyRenames.original(of: scalar.string, at: keyPlace)
            if let line = lines[key] {
                problems.append((keyPlace, "the key '\(Printable.excerpt(key))' stands twice in one mapping, first in line \(line); keep one"))
                continue
            }
            lines[key] = keyPlace.line
            pairs.append(YAMLPair(key: key, keyPlace: keyPlace, value: convert(valueNode, depth: depth + 1)))
        }
        return pairs
    }

    /// Tags such as `!!int` or `!secret` would promise what nobody keeps.
    private mutating func noteTag(_ node: Node, _ place: SourceLocation) {
        let tag = node.tag.rawValue
        guard !["", "!", Tag.Name.str.rawValue, Tag.Name.seq.rawValue, Tag.Name.map.rawValue].contains(tag) else { return }
        problems.append((place, "YAML tags ('!…') are not used here; remove the tag"))
    }

    // MARK: Bounding aliases

    /// Aliases inside anchored values inside anchored values double and double again. This counts
    /// what looks like an alias (so also a few in texts and comments), and is generous enough for
    /// every file that a person writes.
    private static func placeOfTooManyAliases(_ text: String) -> SourceLocation? {
        var line = 1, column = 0, total = 0, beforeLastAnchor = 0
        var previous: UInt8 = 0x0A
        var before: UInt8 = 0x0A
        for byte in text.utf8 {
            let begins = [0x09, 0x0A, 0x0D, 0x20, 0x2C, 0x3A, 0x3F, 0x5B, 0x7B].contains(before)
            if begins, isNameByte(byte) {
                if previous == UInt8(ascii: "*") { total += 1 }
                if previous == UInt8(ascii: "&") { beforeLastAnchor = total }
                if total > aliasLimit || beforeLastAnchor > nestedAliasLimit {
                    return SourceLocation(line: line, column: max(column, 1))
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

/// Keys whose first letter was replaced by a letter that no file uses, so that they differ from
/// their twins.
private struct KeyRenames {
    static let limit = 64
    private static let base: UInt32 = 0xF700
    private var originals: [SourceLocation: Unicode.Scalar] = [:]

    /// `text` with the key at `place` renamed, or nil when it is not written in letters there.
    mutating func rename(at place: SourceLocation, in text: String) -> String? {
        var scalars = Array(text.unicodeScalars)
        guard originals[place] == nil, originals.count < Self.limit - 1,
            var index = SourceText.index(of: place, in: scalars)
        else { return nil }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard index < scalars.count, scalars[index].isASCII,
            scalars[index].properties.isAlphabetic || ("0"..."9").contains(scalars[index]),
            let replacement = Unicode.Scalar(Self.base + UInt32(originals.count))
        else { return nil }
        originals[place] = scalars[index]
        scalars[index] = replacement
        var renamed = String.UnicodeScalarView()
        renamed.append(contentsOf: scalars)
        return String(renamed)
    }

    func original(of key: String, at place: SourceLocation) -> String {
        guard let first = originals[place] else { return key }
        var scalars = key.unicodeScalars
        scalars.removeFirst()
        return String(first) + String(scalars)
    }
}
