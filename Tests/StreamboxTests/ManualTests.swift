import Foundation
import TestSupport
import Testing

/// The manual pages and the package's files agree with the program.
@Suite struct ManualTests {
    /// The commands and options, as ArgumentParser dumps them.
    private struct Dump: Decodable {
        let command: Command

        struct Command: Decodable {
            let commandName: String
            let subcommands: [Command]?
            let arguments: [Argument]?
            let shouldDisplay: Bool?
        }

        struct Argument: Decodable {
            let shouldDisplay: Bool
            let names: [Name]?
        }

        struct Name: Decodable {
            let kind: String
            let name: String
        }
    }

    private func page(_ name: String) throws -> String {
        try Document.text("packaging/man/\(name)").replacing("\\-", with: "-")
    }

    @Test("streambox(1) has exactly the program's commands and options")
    func commands() async throws {
        try await withStage { stage in
            let dump = try await stage.command(["--experimental-dump-help"])
            #expect(dump.ending == .exited(0))
            let root = try JSONDecoder().decode(Dump.self, from: Data(dump.text.utf8)).command
            let page = try page("streambox.1")
            let commands = (root.subcommands ?? []).filter { $0.shouldDisplay ?? true }
            let section = try #require(
                page.split(separator: ".SH COMMANDS\n").last?.split(separator: ".SH OPTIONS").first)
            let written = section.split(separator: ".TP\n").compactMap {
                $0.dropFirst(3).split(whereSeparator: { $0 == " " || $0 == "\n" }).first.map(String.init)
            }
            #expect(Set(written) == Set(commands.map(\.commandName)).union(["help"]))
            var options: Set<String> = ["help"]
            func collect(_ command: Dump.Command) {
                for argument in command.arguments ?? [] where argument.shouldDisplay {
                    for name in argument.names ?? [] where name.kind == "long" { options.insert(name.name) }
                }
                for command in command.subcommands ?? [] where command.shouldDisplay ?? true { collect(command) }
            }
            collect(root)
            #expect(Set(page.matches(of: /--([a-z][a-z-]+)/).map { String($0.1) }) == options)
        }
    }

    @Test("the readme's table has exactly the program's commands and options")
    func readme() async throws {
        try await withStage { stage in
            let root = try JSONDecoder().decode(
                Dump.self, from: Data(try await stage.command(["--experimental-dump-help"]).output)
            ).command
            let rows = try Document.text("README.md").matches(of: #/(?m)^\| `streambox .*?`\ \|/#).flatMap {
                $0.0.matches(of: /`(?:streambox )?([a-z]+)( [^`]*)?`/).map {
                    (name: String($0.1), synopsis: String($0.2 ?? ""))
                }
            }
            let commands = (root.subcommands ?? []).filter { $0.shouldDisplay ?? true }
            #expect(Set(rows.map(\.name)).union(["help"]) == Set(commands.map(\.commandName)).union(["help"]))
            // Many commands have these options.
            let common: Set = ["help", "version", "runtime", "log-level"]
            for row in rows {
                let arguments = try #require(commands.first { $0.commandName == row.name }).arguments ?? []
                let names = arguments.filter(\.shouldDisplay).flatMap { $0.names ?? [] }
                let options = Set(names.filter { $0.kind == "long" }.map(\.name)).subtracting(common)
                let written = Set(row.synopsis.matches(of: /--([a-z-]+)/).map { String($0.1) })
                let expected = row.name == "run" ? options : options.subtracting(["config"])
                #expect(written == expected, "\(row.name)")
            }
        }
    }

    @Test("the packaged configuration is valid and listens on this machine only")
    func packagedConfiguration() async throws {
        try await withStage { stage in
            let path = Document.root.appending(path: "packaging/streambox.yaml").path
            let check = try await stage.command(["check", path])
            #expect(check.ending == .exited(0) && check.errors.isEmpty, "\(check.errors)")
            #expect(!check.text.contains("0.0.0.0"))
            // The same file with its examples that are commented out.
            let text = try String(contentsOfFile: path, encoding: .utf8)
            var lines: [String] = []
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.contains("targets: []") {
                    lines.append("        targets:")
                    continue
                }
                let example = line.replacing(/^( +)#(- .*)$/) { "\($0.1)\($0.2)" }
                lines.append(String(example))
            }
            let full = try stage.folder.write(
                "full.yaml", lines.joined(separator: "\n").replacing("192.168.1.10:1935", with: "192.168.1.10:1936"),
                mode: 0o600)
            let second = try await stage.command(["check", full])
            #expect(second.ending == .exited(0), "\(second.errors)")
            for word in ["capture", "srt", "rtsp", "twitch", "youtube", "archive"] {
                #expect(second.text.contains(word), "\(word)")
            }
        }
    }

    @Test("every shell's completions can be generated, and bash loads its own")
    func completions() async throws {
        try await withStage { stage in
            for shell in ["bash", "zsh", "fish"] {
                let script = try await stage.command(["--generate-completion-script", shell])
                #expect(script.ending == .exited(0))
                for word in ["handover", "no-trial"] { #expect(script.text.contains(word), "\(shell)") }
                guard shell == "bash" else { continue }
                let path = try stage.folder.write("completions", script.text)
                let bash = try await TestProcess.run("bash", ["-n", path], folder: stage.folder.path)
                #expect(bash.ending == .exited(0), "\(bash.errors)")
            }
        }
    }
}
