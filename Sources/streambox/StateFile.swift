import FoundationEssentials
import Glibc
import Supervision

/// What the operator stopped, for the next start of the service.
struct StateFile {
    /// `nil` where there is no place for it: then nothing is kept.
    let path: String?

    init(folder: String?) {
        path = folder.map { $0 + "/stopped.json" }
    }

    /// - Returns: Nothing stopped, where there is no file or none that can be read.
    func read() -> StoppedOutputs {
        guard let path, let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return StoppedOutputs() }
        return (try? JSONDecoder().decode(StoppedOutputs.self, from: data)) ?? StoppedOutputs()
    }

    /// Written beside its place, flushed to the disk, and renamed: a power cut leaves one or the other.
    ///
    /// - Throws: ``StartError`` or ``Failure`` when the folder cannot be written.
    func write(_ stopped: StoppedOutputs) throws {
        guard let path else { return }
        try Folder.make(String(path.dropLast("/stopped.json".count)), mode: 0o755, for: "the service")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let bytes = try encoder.encode(stopped)
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
        Failure(status: 1, description: "streambox: cannot write \(path): \(String(cString: strerror(errno)))")
    }
}
