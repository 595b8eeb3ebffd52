import FoundationEssentials
import Supervision
import SystemPackage
import SystemSupport

/// A value that outlasts a restart of the service, as JSON in a file of its own.
struct StateFile<Value: Codable & Sendable>: Sendable {
    /// The state folder. `nil` if there is none: nothing is then stored.
    let folder: String?
    let name: String

    /// - Returns: `nil` if there is no file, or none that can be read.
    func read() -> Value? {
        guard let path, let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return nil }
        return try? JSONDecoder().decode(Value.self, from: data)
    }

    var path: String? { folder.map { "\($0)/\(name)" } }

    /// Writes the value for the running service: in a child process, with a limit.
    ///
    /// - Throws: ``Disk/Failure``
    func store(_ value: Value, by disk: Disk) async throws {
        guard let path else { return }
        try await disk.store([UInt8](try encoded(value)), to: path)
    }

    private func encoded(_ value: Value) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// Writes the value for a command that ends at once: in this process.
    ///
    /// - Throws: ``StartError`` or ``Failure`` when the folder cannot be written.
    func write(_ value: Value) throws {
        guard let folder, let path else { return }
        try Folder.make(folder, mode: 0o755, for: "the service")
        let bytes = try encoded(value)
        do {
            try DurableFile.write(bytes, to: path, permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch {
            throw Failure(status: 1, description: "cannot write \(path): \(error)")
        }
    }
}
