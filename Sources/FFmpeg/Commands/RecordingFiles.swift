import Glibc
import SystemPackage

/// The files of a recording: `NAME-20260131-235959.ts` in UTC. A *take* is the work of one process. Takes that begin
/// within the same second are numbered: `NAME-20260131-235959-2.ts`.
///
/// FFmpeg overwrites a file of the same name, so two processes that start within one second need different numbers.
package enum RecordingFiles {
    package static let fileExtension = "ts"

    /// FFmpeg's pattern for the names of the segments.
    static func pattern(folder: String, name: String, take: Int) -> String {
        let escape = { (text: String) in
            text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
        }
        let folder = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        return "\(escape(folder))/\(escape(name))-%Y%m%d-%H%M%S\(take > 0 ? "-\(take)" : "").\(fileExtension)"
    }

    /// Whether a file belongs to this recording, whatever its take.
    package static func isRecording(_ file: String, of name: String) -> Bool {
        take(of: file, name: name) != nil
    }

    /// The take for the next process: one above the highest take of the files that changed within the last ten seconds,
    /// and 0 if there are none.
    /// - Parameter now: Seconds since 1970.
    package static func nextTake(folder: String, name: String, now: Int) -> Int {
        guard let directory = opendir(folder) else { return 0 }
        defer { closedir(directory) }
        var next = 0
        while let entry = readdir(directory) {
            let file = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let take = take(of: file, name: name) else { continue }
            var info = stat()
            guard stat("\(folder)/\(file)", &info) == 0, info.st_mtim.tv_sec >= now - 10 else { continue }
            next = max(next, take + 1)
        }
        return next
    }

    /// Removes the empty files of a take: FFmpeg creates a file before it detects that the disk is full.
    package static func removeEmpty(folder: String, name: String, take: Int) {
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let file = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard self.take(of: file, name: name) == take else { continue }
            let path = "\(folder)/\(file)"
            var info = stat()
            if stat(path, &info) == 0, info.st_size == 0 { unlink(path) }
        }
    }

    private static func take(of file: String, name: String) -> Int? {
        guard file.hasPrefix(name + "-"), file.hasSuffix("." + fileExtension) else { return nil }
        let fields = file.dropFirst(name.count + 1).dropLast(fileExtension.count + 1)
            .split(separator: "-", omittingEmptySubsequences: false)
        guard fields.count == 2 || fields.count == 3,
            fields[0].count == 8, fields[1].count == 6,
            fields.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isNumber) })
        else { return nil }
        return fields.count == 3 ? Int(fields[2]) : 0
    }
}
