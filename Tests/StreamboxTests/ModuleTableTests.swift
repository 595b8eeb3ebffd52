import TestSupport
import Testing

/// The module table in docs/architecture.md states which modules exist and which of them a module may import.
@Suite struct ModuleTableTests {
    @Test("the module table lists each target with its dependencies, below all of them")
    func table() throws {
        let modules = try PackageManifest.modules(in: Document.text("Package.swift"))
        let rows = try Self.rows(in: Document.text("docs/architecture.md"))
        #expect(modules.count > 10)

        var above: Set<String> = []
        for row in rows {
            for name in row.modules {
                guard let dependencies = modules[name] else {
                    Issue.record("docs/architecture.md lists \(name), which is no target of Sources in Package.swift")
                    continue
                }
                let allowed = Set(row.mayImport)
                for other in dependencies.subtracting(allowed).sorted() {
                    Issue.record(
                        "docs/architecture.md does not allow \(name) to import \(other), but Package.swift does")
                }
                for other in allowed.subtracting(dependencies).sorted() {
                    Issue.record("docs/architecture.md allows \(name) to import \(other), which is no dependency of it")
                }
                for other in allowed.subtracting(above).sorted() {
                    Issue.record("docs/architecture.md lists \(name) above \(other), which it may import")
                }
            }
            above.formUnion(row.modules)
        }
        let names = rows.flatMap(\.modules)
        #expect(Set(names).count == names.count, "docs/architecture.md lists a module twice")
        for name in modules.keys.sorted() where !names.contains(name) {
            Issue.record("docs/architecture.md does not list \(name)")
        }
    }

    @Test("comments, products, packages and other folders' targets are no modules")
    func manifest() throws {
        let modules = try PackageManifest.modules(
            in: """
                let package = Package(
                    name: "box",
                    products: [.executable(name: "box", targets: ["box"])],
                    dependencies: [.package(url: "https://example.org/log", from: "1.0.0")],
                    targets: [
                        // .target(name: "Former", dependencies: ["Wire"]),
                        .target(name: "Wire", path: "Sources/Protocol/Wire"),
                        .systemLibrary(name: "CLinux"),
                        .target(
                            name: "Server",
                            dependencies: [
                                "CLinux",  // "Nothing" else
                                .target(name: "Wire"),
                                .product(name: "Logging", package: "log", condition: .when(platforms: [.linux])),
                            ]),
                        .executableTarget(name: "box", dependencies: ["Server", .byName(name: "Wire")]),
                        .target(name: "Support", dependencies: ["Server"], path: "Tests/Support"),
                        .testTarget(name: "ServerTests", dependencies: others),
                    ])
                """)
        #expect(modules == ["Wire": [], "CLinux": [], "Server": ["CLinux", "Wire"], "box": ["Server", "Wire"]])
    }

    @Test("dependencies that are no list of literals throw an error")
    func unreadable() {
        for dependencies in ["others", "[\"Wire\"] + others", "[other]"] {
            #expect(throws: Failed.self) {
                _ = try PackageManifest.modules(in: ".target(name: \"Server\", dependencies: \(dependencies))")
            }
        }
    }

    private struct Row {
        var modules: [String]
        var mayImport: [String]
    }

    /// - Parameter text: A document with one table whose first columns are `module` and `may import`.
    private static func rows(in text: String) throws -> [Row] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let head = lines.firstIndex(where: { $0.hasPrefix("| module | may import |") }) else {
            throw Failed("docs/architecture.md has no table with the columns `module` and `may import`")
        }
        return try lines[head...].dropFirst(2).prefix { $0.hasPrefix("|") }.map { line in
            let cells = line.split(separator: "|").map { cell in
                cell.matches(of: /`(\w+)`/).map { String($0.1) }
            }
            guard cells.count == 3, !cells[0].isEmpty else { throw Failed("no row of the module table: \(line)") }
            return Row(modules: cells[0], mayImport: cells[1])
        }
    }
}
