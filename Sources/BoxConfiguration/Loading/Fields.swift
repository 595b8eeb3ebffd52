/// The known keys of one mapping, and the readers of their values. A value that cannot be read is reported and counts
/// as absent, so that one pass finds every mistake.
struct Fields {
    /// The location at which the mapping begins.
    let location: FileLocation
    /// The name of the mapping in messages: `the status`.
    let what: String
    private let pairs: [String: YAMLPair]
    private let reader: ConfigurationReader

    init(_ pairs: [YAMLPair], location: FileLocation, what: String, allowed: [String], reader: ConfigurationReader) {
        self.location = location
        self.what = what
        self.reader = reader
        var known: [String: YAMLPair] = [:]
        for pair in pairs {
            if allowed.contains(pair.key) {
                known[pair.key] = pair
            } else {
                reader.error(pair.keyLocation, Self.unknown(pair.key, allowed: allowed))
            }
        }
        self.pairs = known
    }

    static func unknown(_ key: String, allowed: [String]) -> String {
        if key == "<<" {
            return "merge keys ('<<') are not supported here; write the keys out or repeat a whole value with an alias"
        }
        var message = "unknown key '\(Printable.excerpt(key))'; "
        if let nearest = NearestName.find(key, among: allowed) { message += "did you mean '\(nearest)'? " }
        return message + "allowed: " + allowed.joined(separator: ", ")
    }

    subscript(key: String) -> YAMLPair? { pairs[key] }

    func has(_ key: String) -> Bool { pairs[key] != nil }

    /// The location of the value of `key`; without a value, the location of the mapping.
    func location(of key: String) -> FileLocation { pairs[key]?.value.location ?? location }

    /// The plain value of `key`. `nil` if it is absent. Reports another value, and returns `nil`.
    func text(_ key: String, expecting: String) -> String? {
        guard let node = pairs[key]?.value else { return nil }
        guard case .scalar(let text, _) = node.content, !node.isNull else {
            reader.error(node.location, "\(key) is \(node.isNull ? "empty" : node.found); write \(expecting)")
            return nil
        }
        guard !text.isEmpty else {
            reader.error(node.location, "\(key) is empty; write \(expecting)")
            return nil
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            reader.error(node.location, "\(key) holds a line break or a control character; write \(expecting)")
            return nil
        }
        return text
    }

    /// Like ``text(_:expecting:)``, and reports an absent key.
    func requiredText(_ key: String, expecting: String) -> String? {
        guard has(key) else {
            missing(key, expecting: expecting)
            return nil
        }
        return text(key, expecting: expecting)
    }

    func missing(_ key: String, expecting: String) {
        reader.error(location, "\(what) has no '\(key)'; add \(key): with \(expecting)")
    }

    /// The value of `key`, read by `parse`.
    func value<Value>(
        _ key: String, expecting: String, _ parse: (String) throws(ParseError) -> Value
    ) -> Value? {
        guard let text = text(key, expecting: expecting) else { return nil }
        do {
            return try parse(text)
        } catch {
            reader.error(location(of: key), "\(key) '\(Printable.excerpt(text))' \(error.message)")
            return nil
        }
    }

    func requiredValue<Value>(
        _ key: String, expecting: String, _ parse: (String) throws(ParseError) -> Value
    ) -> Value? {
        guard has(key) else {
            missing(key, expecting: expecting)
            return nil
        }
        return value(key, expecting: expecting, parse)
    }

    func flag(_ key: String, default fallback: Bool) -> Bool {
        guard let node = pairs[key]?.value else { return fallback }
        if case .scalar(let text, plain: true) = node.content {
            if text == "true" { return true }
            if text == "false" { return false }
        }
        let found: String
        if case .scalar(let text, _) = node.content, !node.isNull {
            found = "'\(Printable.excerpt(text))'"
        } else {
            found = node.isNull ? "empty" : node.found
        }
        reader.error(node.location, "\(key) is \(found); write true or false")
        return fallback
    }

    func duration(_ key: String, default fallback: Duration, in limits: ClosedRange<Duration>) -> Duration {
        value(key, expecting: DurationNotation.expectedForm) { text throws(ParseError) in
            let duration = try DurationNotation.parse(text)
            guard limits.contains(duration) else {
                throw ParseError(
                    """
                    is out of range; allowed: \(DurationNotation.text(limits.lowerBound)) to \
                    \(DurationNotation.text(limits.upperBound))
                    """
                )
            }
            return duration
        } ?? fallback
    }

    func bitrate(_ key: String, default fallback: Bitrate, in limits: ClosedRange<Bitrate>) -> Bitrate {
        value(key, expecting: Bitrate.expectedForm) { text throws(ParseError) in
            let bitrate = try Bitrate(parsing: text)
            guard limits.contains(bitrate) else {
                throw ParseError("is out of range; allowed: \(limits.lowerBound) to \(limits.upperBound)")
            }
            return bitrate
        } ?? fallback
    }

    /// The value of `key` as one word of a fixed list.
    func word<Word: RawRepresentable & CaseIterable>(_ key: String, as type: Word.Type) -> Word?
    where Word.RawValue == String {
        let words = Word.allCases.map(\.rawValue)
        return value(key, expecting: Printable.alternatives(words)) { text throws(ParseError) in
            guard let word = Word(rawValue: text) else { throw Self.unknownWord(text, among: words) }
            return word
        }
    }

    static func unknownWord(_ text: String, among words: [String]) -> ParseError {
        let nearest = NearestName.find(text, among: words)
        return ParseError(
            "is not known; " + (nearest.map { "did you mean '\($0)'? " } ?? "") + "allowed: "
                + words.joined(separator: ", "))
    }
}
