import Foundation
import PackagePlugin

/// Adds a generated Swift file to a target: the Swift version, the commit and the resolved dependencies of the build.
///
/// `generate-build-information` beside this file writes it. It runs again when `Package.resolved` or the commit
/// changes. A package without `Package.resolved` or git gets a file without these parts.
@main
struct BuildInformationPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let package = context.package.directoryURL
        let script = package.appending(path: "Plugins/BuildInformation/generate-build-information")
        let output = context.pluginWorkDirectoryURL.appending(path: "GeneratedBuildInformation.swift")
        // The build system rejects an input that does not exist.
        let inputs = [package.appending(path: "Package.resolved"), lastCommit(of: package)].compactMap { $0 }
            .filter { FileManager.default.fileExists(atPath: $0.path) }
        let swift = try? context.tool(named: "swift").url
        return [
            .buildCommand(
                displayName: "Generating the build information",
                executable: URL(filePath: "/bin/bash"),
                arguments: [script.path, package.path, swift?.path ?? "swift", output.path],
                inputFiles: inputs + [script],
                outputFiles: [output])
        ]
    }

    /// A file of git that changes with every commit and checkout; `nil` where the package is not the top of a work
    /// tree.
    private func lastCommit(of package: URL) -> URL? {
        let git = package.appending(path: ".git")
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: git.path, isDirectory: &isFolder) else { return nil }
        if isFolder.boolValue { return git.appending(path: "logs/HEAD") }
        // In a linked work tree, `.git` is a file that names the folder: `gitdir: PATH`.
        guard let text = try? String(contentsOf: git, encoding: .utf8), text.hasPrefix("gitdir: ") else { return nil }
        let path = text.dropFirst("gitdir: ".count).prefix { $0 != "\n" }
        return URL(filePath: String(path), relativeTo: package).appending(path: "logs/HEAD")
    }
}
