import FoundationEssentials
import Glibc
import Supervision

/// Something that outlasts a restart of the service, as JSON in a file of its own.
struct StateFile<Value: Codable & Sendable>: Sendable {
    /// `nil` where there is no place for it: then nothing is kept.
    let folder: String?
    let name: String

    /// - Returns: `nil` where there is no file, or none that can be read.
    func read() -> Value? {
        guard let path, let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return nil }
        return try? JSONDecoder().decode(Value.self, from: data)
    }

    var path: String? { folder.map { "\($0)/\(name)" } }

    /// Written beside its place, flushed to the disk, and renamed: a power cut leaves one or the other.
    ///
    /// - Throws: ``StartError`` or ``Failure`` when the folder cannot be written.
    func write(_ value: Value) throws {
        guard let folder, let path else { return }
        try Folder.make(folder, mode: 0o755, for: "the service")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try encoder.encode(value)
        let temporary = path + ".new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure(path) }
        let isWritten = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) } == bytes.count && fsync(file) == 0
        guard close(file) == 0, isWritten, rename(temporary, path) == 0 else {
            let problem = failure(path)
            unlink(temporary)
            throw problem
        }
    }

    private func failure(_ path: String) -> Failure {
        Failure(status: 1, description: "cannot write \(path): \(String(cString: strerror(errno)))")
    }
}
