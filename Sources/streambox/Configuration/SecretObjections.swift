import BoxConfiguration
import FFmpeg

/// Rejects places in which a secret would not stay secret.
enum SecretObjections {
    /// - Throws: ``Failure`` with the name of each variable that the service passes to its FFmpeg processes.
    static func check(_ configuration: BoxConfiguration, name: String) throws {
        let lines = Set(configuration.secretVariables).filter(ChildEnvironment.passesOn).sorted().map { variable in
            """
            \(name): the service passes the environment variable \(variable) to every FFmpeg, so it cannot hold a \
            secret; use another name, or use { file: } or { credential: }
            """
        }
        guard lines.isEmpty else { throw Failure(status: 2, description: lines.joined(separator: "\n")) }
    }
}
