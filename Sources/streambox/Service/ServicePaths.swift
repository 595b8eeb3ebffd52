import BoxConfiguration
import Glibc
import Supervision

/// The folders that the service works in.
struct ServicePaths {
    /// The folder of the control socket, of slates while they are rendered, and of the list of taps. The service
    /// creates it with mode 0700.
    let runtime: String
    /// Whether ``runtime`` is a temporary folder, removed when the service ends.
    let isTemporary: Bool

    /// Finds the runtime folder and creates it.
    ///
    /// - Throws: ``Failure`` when it cannot be written.
    static func create(
        _ configuration: BoxConfiguration, environment: [String: String]
    ) throws(Failure) -> ServicePaths {
        if let path = runtime(configuration, environment: environment) {
            do {
                try Folder.make(path, mode: 0o700, isOwn: true, for: "the service")
            } catch {
                throw Failure.atRunTime(error)
            }
            sweep(path)
            return ServicePaths(runtime: path, isTemporary: false)
        }
        var template = Array("/tmp/streambox-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure(
                status: 1,
                description: "streambox: cannot create a folder in /tmp: \(String(cString: strerror(errno)))")
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return ServicePaths(runtime: path, isTemporary: true)
    }

    /// The runtime folder that the configuration or the environment names.
    static func runtime(_ configuration: BoxConfiguration, environment: [String: String]) -> String? {
        if let path = configuration.runtime { return path }
        if let path = environment["RUNTIME_DIRECTORY"], !path.isEmpty { return String(path.prefix { $0 != ":" }) }
        if let path = environment["XDG_RUNTIME_DIR"], !path.isEmpty { return path + "/streambox" }
        return nil
    }

    /// The `RuntimeDirectory=` of the packaged unit.
    static let ofUnit = "/run/streambox"

    static func controlSocket(in runtime: String) -> String { runtime + "/control.sock" }

    /// The state folder that the configuration or the environment names. `nil` if the environment has no home either.
    static func state(_ configuration: BoxConfiguration, environment: [String: String]) -> String? {
        if let path = configuration.state { return path }
        if let path = environment["STATE_DIRECTORY"], !path.isEmpty { return String(path.prefix { $0 != ":" }) }
        if let path = environment["XDG_STATE_HOME"], !path.isEmpty { return path + "/streambox" }
        if let path = environment["HOME"], !path.isEmpty { return path + "/.local/state/streambox" }
        return nil
    }

    /// Removes the unfinished slates of a service that was killed.
    private static func sweep(_ folder: String) {
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            let isSlate = name.hasPrefix("slate-") && (name.hasSuffix(".ts") || name.hasSuffix(".txt"))
            if isSlate { unlink("\(folder)/\(name)") }
        }
    }

    func remove() {
        TapFile.remove(in: runtime)
        if isTemporary { rmdir(runtime) }
    }
}

/// The environment variables of this process.
func processEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
        let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
        entry += 1
    }
    return variables
}
