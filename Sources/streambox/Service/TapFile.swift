import Glibc
import Supervision

/// The file that lists the ports of the taps for `streambox tap`: one line `NAME PORT` for each, in the runtime folder.
enum TapFile {
    static func path(in folder: String) -> String { folder + "/taps" }

    /// - Throws: ``Failure`` when the folder cannot be written.
    static func write(_ taps: [Supervisor.OpenTap], in folder: String) throws {
        let temporary = path(in: folder) + ".new"
        guard let file = fopen(temporary, "we") else {
            throw Failure(
                status: 1, description: "streambox: cannot write \(temporary): \(String(cString: strerror(errno)))")
        }
        for tap in taps { fputs("\(tap.name) \(tap.port)\n", file) }
        // A full disk fails here. An incomplete file is not published.
        guard fclose(file) == 0, rename(temporary, path(in: folder)) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw Failure(status: 1, description: "streambox: cannot write \(path(in: folder)): \(reason)")
        }
    }

    static func read(in folder: String) -> [Supervisor.OpenTap] {
        guard let file = fopen(path(in: folder), "re") else { return [] }
        defer { fclose(file) }
        var taps: [Supervisor.OpenTap] = []
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, CInt(line.count), file) != nil {
            let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
                whereSeparator: \.isWhitespace)
            if fields.count == 2, let port = Int(fields[1]) { taps.append(.init(name: String(fields[0]), port: port)) }
        }
        return taps
    }

    static func remove(in folder: String) { unlink(path(in: folder)) }
}
