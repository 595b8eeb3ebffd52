import Glibc

/// The known capabilities of an FFmpeg, and the files that they belong to. FFmpeg is asked again only if a file
/// changes.
package struct FFmpegKnowledge: Codable, Sendable, Hashable {
    let capabilities: FFmpegCapabilities
    let files: Files
    /// The results of the self-check for one version of the service. `nil` before a check.
    private var check: Check?

    private struct Check: Codable, Sendable, Hashable {
        let version: String
        let refused: [RefusedRole]
    }

    init(capabilities: FFmpegCapabilities, files: Files) {
        self.capabilities = capabilities
        self.files = files
    }

    /// Returns what FFmpeg refused in the self-check of one version of the service. Another version has other command
    /// lines.
    ///
    /// - Returns: `nil` if that version did not check this FFmpeg.
    package func refusals(foundBy version: String) -> [RefusedRole]? {
        check?.version == version ? check?.refused : nil
    }

    /// A copy with the result of the self-check of a version of the service.
    package func addingRefusals(_ refused: [RefusedRole], foundBy version: String) -> FFmpegKnowledge {
        var checked = self
        checked.check = Check(version: version, refused: refused)
        return checked
    }

    /// The files that decide how a program answers: its own, and the libraries that the loader links it with.
    struct Files: Codable, Sendable, Hashable {
        private let path: String
        private let program: FileIdentity
        /// The loader's list of libraries, rewritten when a library is installed or removed. `nil` if there is none.
        private let libraries: FileIdentity?
        /// Variables that make the loader use other libraries.
        private let variables: [String: String]

        private static let libraryList = "/etc/ld.so.cache"
        private static let loaderVariables: Set<String> = ["LD_LIBRARY_PATH", "LD_PRELOAD"]

        /// - Returns: `nil` for a script, which may run another program each time.
        init?(_ path: String, environment: [String: String]) {
            guard path.hasPrefix("/"), Self.isProgram(path), let program = FileIdentity(path) else { return nil }
            self.path = path
            self.program = program
            libraries = FileIdentity(Self.libraryList)
            variables = environment.filter { name, _ in Self.loaderVariables.contains(name) }
        }

        private static func isProgram(_ path: String) -> Bool {
            guard let file = fopen(path, "re") else { return false }
            defer { fclose(file) }
            var start = [UInt8](repeating: 0, count: 4)
            return fread(&start, 1, 4, file) == 4 && start == [0x7F] + Array("ELF".utf8)
        }
    }
}
