/// How a program was built: enough to tell one build from another.
///
/// The plugin in `Plugins/BuildInformation` generates ``current``.
package struct BuildInformation: Sendable, Equatable {
    /// A package that the program is linked with.
    package struct Dependency: Sendable, Equatable {
        package var name: String
        /// The resolved version, or the commit of a dependency that is pinned to one.
        package var version: String

        package init(name: String, version: String) {
            self.name = name
            self.version = version
        }
    }

    /// The version of the Swift compiler; `nil` if it is not known.
    package var swift: String?
    /// The commit of the source; `nil` for a source without git.
    package var commit: String?
    /// Empty if the build had no `Package.resolved`.
    package var dependencies: [Dependency]

    package init(swift: String?, commit: String?, dependencies: [Dependency]) {
        self.swift = swift
        self.commit = commit
        self.dependencies = dependencies
    }

    /// One line for each part that is known, in columns.
    package var lines: [String] {
        var rows: [(name: String, value: String)] = []
        if let commit { rows.append(("commit", commit)) }
        if let swift { rows.append(("Swift", swift)) }
        rows += dependencies.map { ($0.name, $0.version) }
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { $0.name + String(repeating: " ", count: width - $0.name.count) + "  " + $0.value }
    }
}
