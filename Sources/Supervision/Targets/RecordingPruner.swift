import CLinux
import FFmpeg
import Glibc

/// Flushes the segments of one recording to the disk, so that a power cut costs no more than the end of the last one,
/// and removes the oldest ones that exceed the recording's share of the disk.
struct RecordingPruner: Sendable {
    let folder: String
    let name: String
    /// The most bytes of all segments together; `nil` keeps everything.
    let most: Int64?
    /// The time from one look to the next: for so long a finished segment may not be on the disk.
    private static let interval = Duration.seconds(1)
    /// After how many looks the newest segment is flushed, which is still written.
    private static let looksPerFlush = 5

    init(folder: String, name: String, most: (some BinaryInteger)?) {
        self.folder = folder
        self.name = name
        self.most = most.map { Int64($0) }
    }

    struct File: Hashable {
        var path: String
        var bytes: Int64
        /// Nanoseconds since 1970.
        var changed: Int64
        /// The number of the last look that found it changed; 0 if it has not changed since the first.
        var changedAt = 0
    }

    /// The findings of the looks so far.
    struct Memory {
        /// The number of looks so far.
        fileprivate(set) var looks = 0
        /// The files, by their paths.
        fileprivate var files: [String: Known] = [:]

        fileprivate struct Known {
            var changed: Int64
            var changedAt: Int
            /// The time of the last change that is on the disk already.
            var flushed: Int64?
        }
    }

    /// Looks repeatedly, and waits for the disk as long as it takes. For a process that does nothing else.
    func run(while isWanted: @Sendable () -> Bool = { true }) async {
        // Segments of an earlier process are flushed, too: that costs nothing if there is nothing to flush.
        var memory = Memory()
        while isWanted() {
            memory = keep(memory)
            guard await (try? ContinuousClock().sleep(for: Self.interval)) != nil else { return }
        }
    }

    /// Looks once: removes surplus segments and flushes changed ones.
    func keep(_ memory: Memory) -> Memory {
        var files = recordings()
        for index in files.indices { files[index].changedAt = Self.changedAt(files[index], memory) }
        // The segment that is being written may have the oldest date. The second look finds it.
        let surplus = memory.looks == 0 ? [] : most.map { Set(Self.surplus(files, most: $0)) } ?? []
        for file in surplus { unlink(file.path) }
        files.removeAll { surplus.contains($0) }
        let newest = Self.newestFirst(files).first
        let withNewest = memory.looks % Self.looksPerFlush == 0
        var next = Memory(looks: memory.looks + 1)
        var isNew = false
        for file in files {
            let before = memory.files[file.path]?.flushed
            // A new segment is flushed at once, so that a power cut leaves at least its first frames.
            let isDue = before != file.changed && (file != newest || withNewest || before == nil)
            let flushed = isDue && Self.flush(file.path) ? file.changed : before
            next.files[file.path] = Memory.Known(changed: file.changed, changedAt: file.changedAt, flushed: flushed)
            isNew = isNew || isDue && before == nil
        }
        // The names of new files are on the disk once the folder is flushed.
        if isNew { _ = Self.flush(folder) }
        return next
    }

    private static func changedAt(_ file: File, _ memory: Memory) -> Int {
        guard let known = memory.files[file.path] else { return memory.looks }
        return known.changed == file.changed ? known.changedAt : memory.looks
    }

    /// Writes a file or folder to the disk.
    private static func flush(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return fsync(file) == 0
    }

    /// Sorts files, newest first. Dates count only among files that no look has found changed: the clock of a box is
    /// set while it records, and may be years behind after its start.
    private static func newestFirst(_ files: [File]) -> [File] {
        files.sorted { ($0.changedAt, $0.changed, $0.path) > ($1.changedAt, $1.changed, $1.path) }
    }

    /// Returns the files to remove so that the others fit. The newest is being written, and is never among them.
    static func surplus(_ files: [File], most: Int64) -> [File] {
        var total: Int64 = 0
        var surplus: [File] = []
        for (index, file) in newestFirst(files).enumerated() {
            total += file.bytes
            if index > 0, total > most { surplus.append(file) }
        }
        return surplus
    }

    /// Lists the segments in the folder.
    func recordings() -> [File] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var files: [File] = []
        while let entry = readdir(directory) {
            let file = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
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
