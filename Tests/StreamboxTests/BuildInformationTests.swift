import BuildInformation
import Foundation
import TestSupport
import Testing

/// `streambox --version --verbose`, and the script that generates its text.
@Suite struct BuildInformationTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Plugins/BuildInformation/generate-build-information").path

    /// Generates the file for a package, with a stand-in for the Swift compiler.
    private func generated(for package: TemporaryFolder) async throws -> String {
        let swift = try package.write(
            "swift", "#!/bin/sh\necho 'Apple Swift version 6.2.1 (swift-6.2.1-RELEASE)'\n", mode: 0o755)
        let output = package.path("generated/BuildInformation.swift")
        let done = try await TestProcess.run("bash", [Self.script, package.path, swift, output])
        #expect(done.ending == .exited(0) && done.errors.isEmpty, "\(done.errors)")
        return try String(contentsOfFile: output, encoding: .utf8)
    }

    @Test("known parts are one line each, in columns")
    func lines() {
        let build = BuildInformation(
            swift: "6.2.1", commit: "0123abc",
            dependencies: [.init(name: "swift-nio", version: "2.101.2"), .init(name: "swift-log", version: "1.16.2")])
        #expect(
            build.lines == [
                "commit     0123abc",
                "Swift      6.2.1",
                "swift-nio  2.101.2",
                "swift-log  1.16.2",
            ])
    }

    @Test("a build of which nothing is known has no lines")
    func unknown() {
        #expect(BuildInformation(swift: nil, commit: nil, dependencies: []).lines.isEmpty)
    }

    @Test("--version --verbose prints the version first, then the build")
    func command() async throws {
        try await withStage { stage in
            let version = try await stage.command(["--version"])
            #expect(version.text.split(separator: "\n").count == 1)
            for arguments in [
                ["--version", "--verbose"], ["--verbose", "--version"], ["run", "--version", "--verbose"],
            ] {
                let done = try await stage.command(arguments)
                #expect(done.ending == .exited(0) && done.errors.isEmpty, "\(arguments)")
                #expect(done.text.hasPrefix(version.text), "\(arguments)")
                let lines = done.text.split(separator: "\n").dropFirst().map(String.init)
                #expect(lines == BuildInformation.current.lines, "\(arguments)")
            }
        }
    }

    @Test("the build names the Swift version and every resolved dependency")
    func current() throws {
        let build = BuildInformation.current
        #expect(build.swift != nil)
        for name in ["swift-argument-parser", "swift-log", "swift-nio"] {
            let version = try #require(build.dependencies.first { $0.name == name }?.version)
            #expect(version.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+/) != nil, "\(name) \(version)")
        }
    }

    @Test("--verbose without --version ends with status 2", arguments: [["--verbose"], ["run", "--verbose"]])
    func verboseAlone(arguments: [String]) async throws {
        try await withStage { stage in
            let done = try await stage.command(arguments)
            #expect(done.ending == .exited(2) && done.text.isEmpty && done.errors.contains("--version"))
        }
    }

    @Test("a tree without git and Package.resolved generates the Swift version alone")
    func bareTree() async throws {
        let package = try TemporaryFolder()
        let text = try await generated(for: package)
        #expect(
            text.contains("swift: \"6.2.1\"") && text.contains("commit: nil") && !text.contains(".init("), "\(text)")
    }

    @Test("a pinned version or commit of Package.resolved is generated with its name")
    func pins() async throws {
        let package = try TemporaryFolder()
        try package.write(
            "Package.resolved",
            """
            {
              "pins" : [
                {
                  "identity" : "swift-log",
                  "kind" : "remoteSourceControl",
                  "location" : "https://github.com/apple/swift-log",
                  "state" : {
                    "revision" : "3665dee5",
                    "version" : "1.16.2"
                  }
                },
                {
                  "identity" : "swift-nio",
                  "kind" : "remoteSourceControl",
                  "location" : "https://github.com/apple/swift-nio",
                  "state" : {
                    "branch" : "main",
                    "revision" : "26726d0d"
                  }
                }
              ],
              "version" : 3
            }
            """)
        let text = try await generated(for: package)
        #expect(text.contains(".init(name: \"swift-log\", version: \"1.16.2\")"), "\(text)")
        #expect(text.contains(".init(name: \"swift-nio\", version: \"26726d0d\")"), "\(text)")
    }
}
