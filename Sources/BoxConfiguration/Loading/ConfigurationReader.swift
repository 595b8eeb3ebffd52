/// Reads the tree of a file once, creates the values, and collects all problems. An extension reads each part of the
/// file.
final class ConfigurationReader {
    let file: String
    let ownerOnly: Bool
    let checksFiles: Bool
    let notYet: [NotYet]
    private var problems: [ConfigurationProblem] = []
    /// The names, listeners and folders that must be unique.
    var registry = Registry()

    init(file: String, ownerOnly: Bool, checksFiles: Bool, notYet: [NotYet]) {
        self.file = file
        self.ownerOnly = ownerOnly
        self.checksFiles = checksFiles
        self.notYet = notYet
    }

    /// The problems in the order of the file. A problem that an alias repeats appears once.
    var sortedProblems: [ConfigurationProblem] {
        var seen: [ConfigurationProblem] = []
        let sorted = problems.enumerated().sorted {
            ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
        }
        for (_, problem) in sorted where seen.last != problem { seen.append(problem) }
        return seen
    }

    func read(_ text: String) -> BoxConfiguration? {
        let document = YAMLDocument(text)
        for problem in document.problems { error(problem.location, problem.message) }
        guard let root = document.root, !(root.isNull && root.location.line == 0) else {
            if document.problems.isEmpty { reportEmpty() }
            return nil
        }
        if root.isNull {
            reportEmpty()
            return nil
        }
        return box(root)
    }

    // MARK: Reporting

    func error(_ location: FileLocation, _ message: String) { report(location, message, .error) }

    func warning(_ location: FileLocation, _ message: String) { report(location, message, .warning) }

    func notYet(_ part: NotYet, _ location: FileLocation, _ message: String) {
        guard notYet.contains(part) else { return }
        report(location, "not yet: \(message)", .notYet)
    }

    private func report(_ location: FileLocation, _ message: String, _ severity: ConfigurationProblem.Severity) {
        problems.append(
            ConfigurationProblem(
                file: file, line: location.line, column: location.column, message: message, severity: severity))
    }

    private func reportEmpty() {
        error(
            FileLocation(line: 1, column: 1),
            """
            the file is empty; write at least one channel, for instance channels: [{ name: main, sources: [{ test: \
            {} }] }]
            """
        )
    }

    // MARK: Shapes

    /// Reads a mapping with `allowed` keys. Reports another node, and returns `nil`.
    func fields(_ node: YAMLNode, what: String, allowed: [String]) -> Fields? {
        guard case .mapping(let pairs) = node.content else {
            error(node.location, "\(what) is \(node.found); write a mapping with \(allowed.joined(separator: ", "))")
            return nil
        }
        return Fields(pairs, location: node.location, what: what, allowed: allowed, reader: self)
    }

    /// Reads a list. Reports another node, and returns `nil`.
    func list(_ node: YAMLNode, what: String, example: String) -> [YAMLNode]? {
        guard case .sequence(let nodes) = node.content else {
            error(node.location, "\(what) is \(node.found); write a list, for instance \(example)")
            return nil
        }
        return nodes
    }

    /// Reads the name of a channel, a group or a target. Reports a missing or wrong name, and returns an empty one.
    func name(_ fields: Fields, kind: Registry.Kind) -> String {
        let rule = "1 to 32 of a-z, 0-9 and '-', beginning with a letter or a digit"
        guard let name = fields.requiredText("name", expecting: rule) else { return "" }
        let location = fields.location(of: "name")
        guard Self.isName(name) else {
            error(location, "name '\(Printable.excerpt(name))' is not a valid name; allowed: \(rule)")
            return ""
        }
        if let other = registry.claim(name, kind: kind, at: location) {
            error(
                location,
                """
                the \(kind.rawValue) name '\(name)' is already used in line \(other.line); give each \
                \(kind.rawValue) its own name
                """
            )
        }
        return name
    }

    private static func isName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...32).contains(bytes.count), bytes[0] != UInt8(ascii: "-") else { return false }
        return bytes.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
    }

    /// Reports a local file that is missing or cannot be read.
    func requireFile(_ path: String, key: String, at location: FileLocation) {
        guard checksFiles, let objection = LocalFile.objection(to: path) else { return }
        error(location, "\(key): the file \(Printable.excerpt(path)) \(objection)")
    }
}
