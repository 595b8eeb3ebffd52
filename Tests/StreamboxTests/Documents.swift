import Foundation

/// A document of the project, split into the parts that tests can try: blocks, code spans and links.
struct Document {
    struct Block {
        /// `sh`, `yaml`, or empty for a block that is only to be read.
        var language: String
        var text: String
        /// File and line, such as `docs/install.md:7`.
        var place: String
    }
    struct Span {
        var text: String
        var place: String
    }

    /// The path from the top of the project.
    let path: String
    private(set) var blocks: [Block] = []
    /// The text between backquotes outside of blocks.
    private(set) var spans: [Span] = []
    /// The destinations of links, from this document's folder.
    private(set) var links: [Span] = []
    private(set) var headings: [String] = []

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    /// The tests follow the changelog's links only: its other statements were true when they were written.
    static let changelog = "CHANGELOG.md"

    /// Reads the pages at the top, everything below `docs`, and the examples of the manual pages.
    static func all() throws -> [Document] {
        let top = try FileManager.default.contentsOfDirectory(atPath: root.path).filter { $0 != changelog }
        let names = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: "docs").path)
            .map { "docs/" + $0 }
        let pages = try ["packaging/man/streambox.1": "sh", "packaging/man/streambox.yaml.5": "yaml"].map {
            try Document(page: $0.key, language: $0.value)
        }
        return try (top.sorted() + names.sorted()).filter { $0.hasSuffix(".md") }.map { try Document($0) } + pages
    }

    init(_ path: String) throws {
        self.path = path
        var block: Block?
        var paragraph = Span(text: "", place: path)
        for (index, line) in try Self.text(path).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let place = "\(path):\(index + 1)"
            if line.hasPrefix("```") {
                if let whole = block { blocks.append(whole) }
                block = block == nil ? Block(language: String(line.dropFirst(3)), text: "", place: place) : nil
            } else if block != nil {
                block?.text += line + "\n"
                continue
            }
            if line.hasPrefix("#") { headings.append(line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces)) }
            // A row of a table is a paragraph of its own. A code span may continue on the next line.
            if line.isEmpty || line.hasPrefix("|") || line.hasPrefix("```") {
                read(paragraph)
                paragraph = Span(text: "", place: place)
            }
            if !line.hasPrefix("```") { paragraph.text += (paragraph.text.isEmpty ? "" : " ") + line }
        }
        read(paragraph)
    }

    private mutating func read(_ paragraph: Span) {
        // A bar inside a table has a backslash before it.
        spans += paragraph.text.matches(of: /`([^`]+)`/).map {
            Span(text: String($0.1).replacing("\\|", with: "|"), place: paragraph.place)
        }
        links += paragraph.text.matches(of: /\]\(([^)\s]+)\)/).map { Span(text: String($0.1), place: paragraph.place) }
    }

    private init(page path: String, language: String) throws {
        self.path = path
        let text = try Self.text(path)
        for example in text.matches(of: /(?s)\n\.EX\n(.*?)\n\.EE/) {
            blocks.append(
                Block(language: language, text: String(example.1).replacing("\\-", with: "-") + "\n", place: path))
        }
    }

    /// The anchor of a heading, as links name it.
    static func anchor(_ heading: String) -> String {
        String(
            heading.lowercased().compactMap {
                $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" ? $0 : $0 == " " ? "-" : nil
            })
    }
}

/// A command of a document, as a user types it.
struct DocumentedCommand: Hashable {
    var text: String
    var place: String

    static func == (one: Self, other: Self) -> Bool { one.text == other.text }
    func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// The beginnings of a code span that is a command.
    static let programs = [
        "streambox ", "scripts/", "systemctl", "journalctl", "apt-get", "promtool", "man ", "systemd-analyze",
    ]

    /// Every line of every `sh` block, and every code span that begins with a program; each command once.
    static func all(in documents: [Document]) -> [DocumentedCommand] {
        var commands: [DocumentedCommand] = []
        for document in documents {
            for block in document.blocks where block.language == "sh" {
                for line in block.text.split(separator: "\n") {
                    // A comment begins after a space.
                    let text = (" " + line).replacing(/\s#.*$/, with: "").trimmingCharacters(in: .whitespaces)
                    if !text.isEmpty { commands.append(DocumentedCommand(text: asUser(text), place: block.place)) }
                }
            }
            for span in document.spans {
                let text = asUser(span.text)
                guard text.contains(" "), programs.contains(where: { text.hasPrefix($0) }) else { continue }
                commands += expanded(text).map { DocumentedCommand(text: $0, place: span.place) }
            }
        }
        var seen: Set<DocumentedCommand> = []
        return commands.filter { seen.insert($0).inserted }
    }

    /// Removes `sudo`: on a box the service has a user of its own, and here the test is that user.
    private static func asUser(_ text: String) -> String { text.replacing(#/(^|\| )sudo /#) { $0.output.1 } }

    /// Expands a synopsis to commands: without optional parts, and one command for each alternative between bars.
    private static func expanded(_ synopsis: String) -> [String] {
        let text = synopsis.replacing(#/ ?\[[^\]]*\]/#, with: "")
        guard let choice = text.firstMatch(of: /\b[\w-]+(?:\|[\w-]+)+\b/) else { return [text] }
        return choice.0.split(separator: "|").map { text.replacingCharacters(in: choice.range, with: $0) }
    }
}
