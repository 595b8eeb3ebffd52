import Glibc
import SystemPackage

/// A temporary folder with the files that some command lines need.
struct SelfCheckFolder: Sendable {
    let folder: String
    var media: String { folder + "/check.flv" }
    var image: String { folder + "/check.png" }
    var text: String { folder + "/check.txt" }

    /// - Returns: `nil` if it cannot be created, or has no room.
    init?(_ environment: [String: String]) {
        var path = Array("\(environment["TMPDIR"] ?? "/tmp")/streambox-check-XXXXXX".utf8CString)
        guard let made = mkdtemp(&path).map({ String(cString: $0) }) else { return nil }
        folder = made
        let contents = [(media, ReadyMadeMedia.flv), (image, ReadyMadeMedia.image), (text, Array("check".utf8))]
        guard contents.allSatisfy({ Self.write($0.1, to: $0.0) }) else {
            remove()
            return nil
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) -> Bool {
        guard
            let file = try? FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite])
        else { return false }
        defer { try? file.close() }
        return (try? file.writeAll(bytes)) != nil
    }

    func remove() {
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { unlink("\(folder)/\(name)") }
        }
        rmdir(folder)
    }
}
