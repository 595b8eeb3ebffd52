import BoxConfiguration
import Glibc
import Supervision

/// The folders that the service works in, as the contract has them.
struct ServicePaths {
    /// The control socket, slates that are being made, and which tap has which port: ours alone where it is made here,
    /// 0700.
    let runtime: String
    /// ``runtime`` is a temporary folder that goes when the service ends.
    let isTemporary: Bool

    /// Finds the runtime folder and makes it.
    ///
    /// - Throws: ``StartError`` when it cannot be written.
    init(_ configuration: BoxConfiguration, environment: [String: String]) throws {
        if let path = ServicePaths.runtime(configuration, environment: environment) {
            try Folder.make(path, mode: 0o700, isOwn: true, for: "the service")
            runtime = path
            isTemporary = false
            ServicePaths.sweep(path)
            return
        }
        var template = Array("/tmp/streambox-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure(
                status: 1, description: "streambox: cannot make a folder in /tmp: \(String(cString: strerror(errno)))")
        }
        runtime = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        isTemporary = true
    }

    /// The runtime folder where one is configured or given by the environment.
    static func runtime(_ configuration: BoxConfiguration, environment: [String: String]) -> String? {
        if let path = configuration.runtime { return path }
        if let path = environment["RUNTIME_DIRECTORY"], !path.isEmpty { return String(path.prefix { $0 != ":" }) }
        if let path = environment["XDG_RUNTIME_DIR"], !path.isEmpty { return path + "/streambox" }
        return nil
    }

    /// The `RuntimeDirectory=` of the packaged unit.
    static let ofUnit = "/run/streambox"

    static func controlSocket(in runtime: String) -> String { runtime + "/control.sock" }

    /// The folder for what survives a restart: configured, or given by the environment; `nil` where there is no home
    /// either.
    static func state(_ configuration: BoxConfiguration, environment: [String: String]) -> String? {
        if let path = configuration.state { return path }
        if let path = environment["STATE_DIRECTORY"], !path.isEmpty { return String(path.prefix { $0 != ":" }) }
        if let path = environment["XDG_STATE_HOME"], !path.isEmpty { return path + "/streambox" }
        if let path = environment["HOME"], !path.isEmpty { return path + "/.local/state/streambox" }
        return nil
    }

    /// Removes what a service that was killed could not: slates that were being made.
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

/// The environment of the program.
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
