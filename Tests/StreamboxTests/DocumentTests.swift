import Foundation
import Status
import TestSupport
import Testing

/// The documents are correct: their commands run, their examples are valid, and the names in them exist.
@Suite(.serialized) struct DocumentTests {
    /// A command that needs more than this machine, and the file that runs it where it can run.
    private struct Elsewhere {
        var command: String
        var file: String
        /// The command as that file has it.
        var words: String
    }

    private static let installCredentials = """
        install -D -m 0644 /usr/share/doc/streambox/examples/credentials.conf \
        /etc/systemd/system/streambox.service.d/credentials.conf
        """
    private static let inPackage = "Tests/Appliance/package/run.sh"
    private static let elsewhere = [
        // Commands that build, clone or test everything.
        Elsewhere(
            command: "git clone <this repository> streambox && cd streambox", file: ".ci/run",
            words: "exec scripts/test"),
        Elsewhere(
            command: "scripts/test-package", file: "scripts/test-package",
            words: "#   scripts/test-package [--program FILE]"),
        Elsewhere(command: "scripts/package", file: "scripts/test-package", words: "\"$root/scripts/package\""),
        // Commands that need a box with the package, systemd and root.
        Elsewhere(
            command: "scp .build/streambox_*.deb YOU@THE-BOX:/tmp/streambox.deb", file: inPackage,
            words: "cp first/*.deb /tmp/streambox.deb"),
        Elsewhere(
            command: "ssh -t YOU@THE-BOX sudo apt-get install --yes /tmp/streambox.deb", file: inPackage,
            words: "apt-get install --yes /tmp/streambox.deb"),
        Elsewhere(
            command: "ssh -t YOU@THE-BOX sudo nano /etc/streambox/streambox.yaml", file: inPackage,
            words: "cat >$configuration"),
        Elsewhere(
            command: "ssh -t YOU@THE-BOX sudo systemctl reload streambox", file: inPackage,
            words: "systemctl reload streambox"),
        Elsewhere(
            command:
                "ssh -t YOU@THE-BOX sudo apt-get -o Dpkg::Options::=--force-confold install --yes /tmp/streambox.deb",
            file: inPackage,
            words: "apt-get -o Dpkg::Options::=--force-confold install --yes /tmp/streambox.deb"),
        Elsewhere(command: "adduser YOU streambox", file: inPackage, words: "adduser volunteer streambox"),
        Elsewhere(
            command: "scp 'YOU@THE-BOX:/var/lib/streambox/recordings/*.ts' .", file: inPackage,
            words: "cat /var/lib/streambox/recordings/*.ts"),
        Elsewhere(
            command: "install -m 0644 /var/lib/streambox/recordings/FILE /tmp/", file: inPackage,
            words: "install -m 0644 /var/lib/streambox/recordings/"),
        Elsewhere(
            command: "install -m 0600 KEYFILE /etc/streambox/credentials/twitch", file: inPackage,
            words: "install -m 0600 KEYFILE /etc/streambox/credentials/twitch"),
        Elsewhere(command: installCredentials, file: inPackage, words: installCredentials),
        Elsewhere(command: "systemctl daemon-reload", file: inPackage, words: "systemctl daemon-reload"),
        Elsewhere(command: "systemctl restart streambox", file: inPackage, words: "systemctl restart streambox"),
        Elsewhere(
            command: "install -m 0600 -o streambox KEYFILE /etc/streambox/keys/twitch", file: inPackage,
            words: "install -m 0600 -o streambox KEYFILE /etc/streambox/keys/twitch"),
        Elsewhere(command: "systemctl reload streambox", file: inPackage, words: "systemctl reload streambox"),
        Elsewhere(command: "systemctl reload", file: inPackage, words: "systemctl reload streambox"),
        Elsewhere(command: "systemctl status streambox", file: inPackage, words: "systemctl status streambox"),
        Elsewhere(command: "systemctl stop streambox", file: inPackage, words: "systemctl stop streambox"),
        Elsewhere(command: "journalctl -u streambox -n 20", file: inPackage, words: "journalctl -u streambox -n 20"),
        Elsewhere(
            command: "journalctl -u streambox -p warning", file: inPackage,
            words: "journalctl -u streambox -p warning"),
        Elsewhere(command: "journalctl -k", file: inPackage, words: "journalctl -k"),
        Elsewhere(
            command: "systemd-analyze security streambox", file: inPackage,
            words: "systemd-analyze security streambox"),
        Elsewhere(command: "apt-get remove streambox", file: inPackage, words: "apt-get remove --yes streambox"),
        Elsewhere(command: "apt-get purge streambox", file: inPackage, words: "apt-get purge --yes streambox"),
        // ManualTests compares the pages with the program.
        Elsewhere(command: "man streambox", file: inPackage, words: "/usr/share/man/man1/streambox.1.gz"),
        Elsewhere(command: "man streambox.yaml", file: inPackage, words: "/usr/share/man/man5/streambox.yaml.5.gz"),
        // The service that the other commands ask.
        Elsewhere(
            command: "streambox run", file: "Tests/StreamboxTests/Daemon.swift", words: "[\"run\", \"--config\", config"
        ),
    ]

    @Test("every command of the documents runs, here or in the package test")
    func commands() async throws {
        let commands = DocumentedCommand.all(in: try Document.all())
        #expect(commands.count > 50)
        for entry in Self.elsewhere {
            #expect(commands.contains { $0.text == entry.command }, "no document has \(entry.command) any more")
            #expect(try Document.text(entry.file).contains(entry.words), "\(entry.file) does not run \(entry.command)")
        }
        try await withStage { stage in
            let box = try await DocumentedBox(stage)
            let here = commands.filter { command in !Self.elsewhere.contains { $0.command == command.text } }
            print("\(here.count) commands of the documents run here, \(commands.count - here.count) elsewhere")
            for command in here {
                let text = command.text
                if text.hasPrefix("scripts/run") {
                    try await box.start(command)
                } else if text.hasPrefix("scripts/test"), !text.hasPrefix("scripts/test-"), !Self.needsMatrix(text) {
                    try await box.test(command)
                } else if text.hasPrefix("scripts/") {
                    try Self.look(at: command)
                } else {
                    try await box.run(command)
                }
            }
            try await box.daemon.terminate()
        }
    }

    /// Whether a command runs the tests with an FFmpeg that has to be built first, or a part that the script chooses.
    private static func needsMatrix(_ command: String) -> Bool {
        ["--ffmpeg", "--judge", "--only-ffmpeg"].contains(where: command.contains)
    }

    /// Expects of a script that takes too long for a test that it exists and has the words of the command.
    private static func look(at command: DocumentedCommand) throws {
        let words = command.text.split(separator: " ").map(String.init)
        let script = root.appending(path: words[0]).path
        #expect(FileManager.default.isExecutableFile(atPath: script), "\(command.place): \(words[0])")
        let name = words[0].dropFirst("scripts/".count)
        var texts = [try Document.text(words[0])]
        // The options of the measurements are those of StreamboxBench.
        if name == "bench" || name == "soak" {
            let folder = "Benchmarks/StreamboxBench"
            texts += try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path).filter {
                $0.hasSuffix(".swift")
            }
            .map { try Document.text("\(folder)/\($0)") }
        }
        let text = texts.joined()
        for (previous, word) in zip(words, words.dropFirst()) where Double(word) == nil && word != word.uppercased() {
            // The name of a test follows.
            if previous == "--filter" { continue }
            if name == "test-appliance", !word.hasPrefix("-"), !word.hasSuffix(".deb") {
                #expect(Document.exists("Tests/Appliance/scenarios/\(word).sh"), "\(command.place): \(word)")
            } else if word.hasPrefix("--") {
                let option = word.dropFirst(2)
                // The option `--declared-lengths` is the property `declaredLengths`.
                let property = option.split(separator: "-").enumerated().map {
                    $0.offset == 0 ? String($0.element) : $0.element.capitalized
                }.joined()
                #expect(text.contains(word) || text.contains("var \(property)"), "\(command.place): \(word)")
            } else if !word.hasSuffix(".deb") {
                #expect(text.contains(word), "\(command.place): \(word)")
            }
        }
    }

    private static var root: URL { Document.root }

    @Test("`streambox check` or Prometheus accepts every YAML example of the documents")
    func examples() async throws {
        let blocks = try Document.all().flatMap(\.blocks).filter { $0.language == "yaml" }
        #expect(blocks.count > 10)
        try await withStage { stage in
            for (index, block) in blocks.enumerated() {
                if block.text.contains("scrape_configs:") {
                    let rules = try Document.text("docs/prometheus/streambox-alerts.yml")
                    _ = try stage.folder.write("streambox-alerts.yml", rules)
                    let file = try stage.folder.write("prometheus-\(index).yml", block.text)
                    let done = try await TestProcess.run("promtool", ["check", "config", file])
                    #expect(done.ending == .exited(0), "\(block.place): \(done.text)\(done.errors)")
                    continue
                }
                let (text, environment) = try ExampleSecrets.provide(Self.whole(block), in: stage.folder)
                let file = try stage.folder.write("example-\(index).yaml", text, mode: 0o600)
                let done = try await stage.command(["check", file], environment: environment)
                #expect(done.ending == .exited(0), "\(block.place): \(done.errors)")
            }
        }
    }

    /// Completes a part of a configuration to a whole one.
    private static func whole(_ block: Document.Block) throws -> String {
        let lines = block.text.split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(lines.first { !$0.isEmpty && !$0.hasPrefix("#") }, "\(block.place)")
        let margin = first.prefix { $0 == " " }.count
        let key = first.drop { $0 == " " }.prefix { $0 != ":" }
        let text = lines.map { $0.dropFirst(min(margin, $0.prefix { $0 == " " }.count)) }.joined(separator: "\n")
        let indented = text.split(separator: "\n").map { "    \($0)\n" }.joined()
        switch key {
        case _ where lines.contains("channels:"): return text
        case "sources":
            return """
                channels:
                  - name: main
                \(indented)    groups: [ { name: hd, video: copy, audio: copy, tap: true } ]

                """
        case "status", "encoders":
            return """
                \(text)
                channels: [ { name: main, sources: [ { test: } ], groups: [ { name: hd, tap: true } ] } ]

                """
        default: throw Failed("\(block.place): the test cannot complete a part that begins with \(key)")
        }
    }

    @Test("operations.md and status.md describe every problem kind and no other")
    func problems() throws {
        let kinds = Set(Problem.Kind.allCases.map(\.rawValue))
        let sections = try Document("docs/operations.md").headings.flatMap {
            $0.matches(of: /`([a-z-]+)`/).map { String($0.1) }
        }
        #expect(Set(sections) == kinds && sections.count == kinds.count)
        let rows = try Document.text("docs/status.md").split(separator: "## Problems")[1].split(separator: "\n## ")[0]
            .split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap {
                $0.split(separator: "|")[0].matches(of: /`([a-z-]+)`/).map { String($0.1) }
            }
        #expect(Set(rows) == kinds && rows.count == kinds.count)
    }

    @Test("the documents name exactly the metrics that exist")
    func metrics() throws {
        let sources = try FileManager.default.contentsOfDirectory(
            atPath: Document.root.appending(path: "Sources/Status/Rendering").path)
        let written = try sources.map { try Document.text("Sources/Status/Rendering/\($0)") }.joined()
        let names = Set(written.matches(of: /"((?:streambox|process)_[a-z_]+)"/).map { String($0.1) })
        #expect(names.count > 30)
        let table = Set(try Document("docs/status.md").spans.map(\.text))
        for name in names { #expect(table.contains(name), "docs/status.md lacks \(name)") }
        for document in try Document.all() {
            for span in document.spans {
                for name in span.text.matches(of: /^((?:streambox|process)_[a-z_]+)(?:\{.*\})?$/) {
                    #expect(names.contains(String(name.1)), "\(span.place): \(span.text)")
                }
            }
        }
    }

    @Test("links resolve, documents are reachable, and named files and types exist")
    func names() throws {
        let documents = try Document.all().filter { $0.path.hasSuffix(".md") }
        var reached: Set<String> = ["README.md"]
        for document in documents {
            let text = try Document.text(document.path)
            #expect(!text.contains(/(?m)^(<<<<<<<|=======|>>>>>>>)/), "\(document.path) has conflict markers")
            reached.formUnion(try Self.follow(document.links, of: document.path))
            for block in document.blocks {
                // No test would run a command in a block of another kind.
                #expect(["sh", "yaml", "ini", ""].contains(block.language), "\(block.place): \(block.language)")
                let isCommand =
                    block.language != "sh"
                    && block.text.split(separator: "\n").contains { line in
                        DocumentedCommand.programs.contains { line.hasPrefix($0) }
                    }
                #expect(!isCommand, "\(block.place): commands belong into a block of their own, marked as sh")
            }
            for span in document.spans {
                let folders = "Sources|Tests|Benchmarks|Examples|docs|packaging|scripts|systemd|udev"
                let pattern = try Regex("((?:\(folders))/[\\w./+-]*\\w)(?: .*)?")
                guard let path = try pattern.wholeMatch(in: span.text)?[1].substring else { continue }
                #expect(Document.exists(String(path)) || path.contains("NAME"), "\(span.place): \(span.text)")
            }
        }
        _ = try Self.follow(Document(Document.changelog).links, of: Document.changelog)
        // A page at the top of the project needs no link.
        for path in documents.map(\.path) where path.contains("/") {
            #expect(reached.contains(path), "no page links to \(path)")
        }

        let architecture = try Document("docs/architecture.md")
        let words = Set(architecture.spans.map(\.text))
        let code = try FileManager.default.subpathsOfDirectory(atPath: Document.root.appending(path: "Sources").path)
            .filter { $0.hasSuffix(".swift") }
            .map { try Document.text("Sources/\($0)") }.joined()
        for word in words
        where word.contains(/^[A-Z][a-z]+[A-Z]\w*$/) && !Document.exists("Sources/\(word)") && word != "AsyncSequence" {
            #expect(
                code.contains(try Regex("(struct|enum|class|actor|protocol) \(word)\\b")),
                "docs/architecture.md names \(word)")
        }
    }

    /// Expects that the links between pages lead to existing files and headings.
    ///
    /// - Returns: The files that they lead to.
    private static func follow(_ links: [Document.Span], of page: String) throws -> Set<String> {
        let folder = URL(fileURLWithPath: "/\(page)").deletingLastPathComponent()
        var reached: Set<String> = []
        for link in links where !link.text.contains("://") {
            let parts = link.text.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
            let path =
                parts[0].isEmpty ? page : String(folder.appending(path: parts[0]).standardized.path.dropFirst())
            #expect(Document.exists(path), "\(link.place): \(link.text)")
            reached.insert(path)
            guard parts.count > 1, path.hasSuffix(".md"), Document.exists(path) else { continue }
            let anchors = try Document(path).headings.map(Document.anchor)
            #expect(anchors.contains(parts[1]), "\(link.place): \(link.text)")
        }
        return reached
    }
}

/// Files and variables for the secrets of the examples.
enum ExampleSecrets {
    /// Writes the secrets of an example to a folder.
    ///
    /// - Returns: The example with its paths in this folder, and the environment that it needs.
    static func provide(_ text: String, in folder: TemporaryFolder) throws -> (String, [String: String?]) {
        let secret = "a-word-of-sixteen"
        var environment: [String: String?] = ["CREDENTIALS_DIRECTORY": try folder.makeFolder("credentials")]
        for name in text.matches(of: /credential: ([\w-]+)/) {
            _ = try folder.write("credentials/\(name.1)", secret, mode: 0o600)
        }
        for name in text.matches(of: /env: (\w+)/) { environment[String(name.1)] = secret }
        _ = try folder.makeFolder("keys")
        for name in text.matches(of: #/file: /etc/streambox/keys/([\w-]+)/#) {
            _ = try folder.write("keys/\(name.1)", secret, mode: 0o600)
        }
        for name in text.matches(of: #/ca: /etc/streambox/([\w.-]+)/#) { _ = try folder.write("\(name.1)", "") }
        let local = text.replacing("/etc/streambox/keys/", with: folder.path("keys") + "/").replacing(
            "ca: /etc/streambox/", with: "ca: \(folder.path)/")
        return (local, environment)
    }
}
