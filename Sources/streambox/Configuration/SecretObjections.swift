import BoxConfiguration
import FFmpeg

/// Places where a secret would not be one.
enum SecretObjections {
    /// - Throws: ``Failure`` with the name of each variable that the service hands on to its FFmpegs.
    static func check(_ configuration: BoxConfiguration, name: String) throws {
        let lines = Set(configuration.secretVariables).filter(ChildEnvironment.passesOn).sorted().map { variable in
            """
            \(name): the environment variable \(variable) is handed on to every FFmpeg, so it is no place for a \
            secret; give it another name, or use { file: } or { credential: }
            """
        }
        guard lines.isEmpty else { throw Failure(status: 2, description: lines.joined(separator: "\n")) }
    }
}
