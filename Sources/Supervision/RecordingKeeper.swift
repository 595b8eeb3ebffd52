import FFmpeg
import Glibc

/// Keeps the segments of one recording within their share of the disk: the oldest go first, the newest stays.
struct RecordingKeeper: Sendable {
    let folder: String
    let name: String
    /// Bytes of all segments together.
    let most: Int64
    private static let interval = Duration.seconds(5)

    init(folder: String, name: String, most: some BinaryInteger) {
        self.folder = folder
        self.name = name
        self.most = Int64(most)
    }

    struct File: Hashable {
        var path: String
        var bytes: Int64
        /// Nanoseconds since 1970.
        var changed: Int64
    }

    func run() async {
        while true {
            for file in Self.surplus(recordings(), most: most) { unlink(file.path) }
            guard await (try? ContinuousClock().sleep(for: Self.interval)) != nil else { return }
        }
    }

    /// The files to remove so that the others fit. The newest is being written, and is never among them.
    static func surplus(_ files: [File], most: Int64) -> [File] {
        let newestFirst = files.sorted { ($0.changed, $0.path) > ($1.changed, $1.path) }
        var total: Int64 = 0
        var surplus: [File] = []
        for (index, file) in newestFirst.enumerated() {
            total += file.bytes
            if index > 0, total > most { surplus.append(file) }
        }
        return surplus
    }

    func recordings() -> [File] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var files: [File] = []
        while let entry = readdir(directory) {
            let file = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard RecordingFiles.isRecording(file, of: name) else { continue }
            let path = "\(folder)/\(file)"
            var info = stat()
            guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { continue }
            let changed = Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec)
            files.append(File(path: path, bytes: Int64(info.st_size), changed: changed))
        }
        return files
    }
}
