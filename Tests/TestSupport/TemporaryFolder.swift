import Foundation

/// The folder of one test, which is removed with its contents when the last reference goes.
///
/// `STREAMBOX_TEST_KEEP=1` keeps it and prints its path. The path is short enough for a Unix socket.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// - Throws: `Failed` if the folder cannot be made.
    package init() throws {
        let root = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(root)/streambox-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failed("cannot make a folder in \(root): \(errnoText())")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        if ProcessInfo.processInfo.environment["STREAMBOX_TEST_KEEP"] == "1" {
            complain("kept \(path)")
        } else {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// The path of a name in the folder.
    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes a folder inside.
    ///
    /// - Returns: Its path.
    @discardableResult
    package func makeFolder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(
            atPath: path(name), withIntermediateDirectories: true)
        return path(name)
    }

    /// Writes a file inside. Its mode is set before its contents are written.
    ///
    /// - Returns: Its path.
    @discardableResult
    package func write(_ name: String, _ text: String, mode: Int = 0o644) throws -> String {
        try write(name, bytes: Array(text.utf8), mode: mode)
    }

    @discardableResult
    package func write(_ name: String, bytes: [UInt8], mode: Int = 0o644) throws -> String {
        let made = FileManager.default.createFile(
            atPath: path(name), contents: nil, attributes: [.posixPermissions: mode])
        guard made, let handle = FileHandle(forWritingAtPath: path(name)) else {
            throw Failed("cannot write \(path(name))")
        }
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
        return path(name)
    }

    package func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    package func text(_ name: String) throws -> String {
        String(decoding: try read(name), as: UTF8.self)
    }

    /// The sorted names in the folder or in a folder inside it; none if that does not exist.
    package func names(in name: String = ".") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path(name))) ?? []).sorted()
    }
}

/// Runs `body` with a folder that is removed afterwards, even if `body` throws.
package func withTemporaryFolder<Result>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (TemporaryFolder) async throws -> Result
) async throws -> Result {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    return try await body(folder)
}
