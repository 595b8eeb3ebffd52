import Glibc

/// What is known of an FFmpeg, and of which files that holds: as long as they are the same, it need not be asked again.
package struct FFmpegKnowledge: Codable, Sendable, Hashable {
    let capabilities: FFmpegCapabilities
    let files: Files
    /// What it refuses of the command lines of this version of the service; `nil` as long as that was not checked.
    private var check: Check?

    private struct Check: Codable, Sendable, Hashable {
        let version: String
        let refused: [RefusedRole]
    }

    init(capabilities: FFmpegCapabilities, files: Files) {
        self.capabilities = capabilities
        self.files = files
    }

    /// - Parameter version: The service's; another one has other command lines.
    package func refused(by version: String) -> [RefusedRole]? { check?.version == version ? check?.refused : nil }

    /// The same, with the result of a check.
    package func checked(_ refused: [RefusedRole], by version: String) -> FFmpegKnowledge {
        var checked = self
        checked.check = Check(version: version, refused: refused)
        return checked
    }

    /// What decides how a program answers: its file, and what the loader would link it with.
    struct Files: Codable, Sendable, Hashable {
        private let path: String
        private let program: FileIdentity
        /// The loader's list of libraries, made anew whenever one is installed or goes; `nil` where there is none.
        private let libraries: FileIdentity?
        /// What is loaded in place of those, or before them.
        private let variables: [String: String]

        private static let libraryList = "/etc/ld.so.cache"
        private static let loaderVariables: Set<String> = ["LD_LIBRARY_PATH", "LD_PRELOAD"]

        /// - Returns: `nil` for what is no program itself: a script may run something else each time.
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
