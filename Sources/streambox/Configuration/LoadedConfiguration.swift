import BoxConfiguration
import EncoderSelection
import Glibc
import Logging
import Supervision

/// The configuration that a command works with, and its origin.
struct LoadedConfiguration {
    var name: String
    var isDemo = false
    var configuration: BoxConfiguration
    var notices: [ConfigurationProblem]

    /// The configuration file of the packaged service.
    static let usual = "/etc/streambox/streambox.yaml"

    /// Finds and reads the configuration.
    ///
    /// - Parameter path: The file asked for. `nil` stands for the usual places, then the demo.
    /// - Throws: ``Failure`` with every mistake in the file.
    init(_ path: String?, environment: [String: String]) throws {
        if let path = path ?? environment["STREAMBOX_CONFIG"] ?? (access(Self.usual, F_OK) == 0 ? Self.usual : nil) {
            do {
                let file = try ConfigurationFile.load(path: path)
                try SecretObjections.check(file.configuration, name: path)
                self.init(name: path, configuration: file.configuration, notices: file.notices)
            } catch let failure as Failure {
                throw failure
            } catch {
                throw Failure.inConfiguration(error)
            }
        } else {
            self = try Self.demo()
        }
    }

    /// Finds and reads the configuration again for the running service: in a child process, with a limit.
    ///
    /// - Returns: The configuration, and the secrets that it refers to.
    /// - Throws: ``Failure`` with every mistake in the file.
    static func again(
        _ path: String?, environment: [String: String], by disk: Disk
    ) async throws -> (LoadedConfiguration, secrets: [String]) {
        let asked = path ?? environment["STREAMBOX_CONFIG"]
        let read: Disk.ReadConfiguration?
        do {
            read = try await disk.configuration(asked ?? usual, isOptional: asked == nil, environment: environment)
        } catch  where error.isSilent {
            throw Failure(status: 1, description: "\(error)")
        } catch {
            throw Failure.inConfiguration(error)
        }
        guard let read else {
            let demo = try LoadedConfiguration.demo()
            return (demo, demo.configuration.secretValues(environment: environment, readsFiles: false))
        }
        let name = asked ?? usual
        try SecretObjections.check(read.file.configuration, name: name)
        let file = LoadedConfiguration(name: name, configuration: read.file.configuration, notices: read.file.notices)
        return (file, read.secrets)
    }

    /// Logs the notices of the file, and the encoders that it names and this box does not have.
    func logNotices(encoders: EncoderCatalogue, to logger: Logger) {
        for notice in notices { logger.warning("configuration notice", metadata: ["notice": "\(notice)"]) }
        for notice in MissingEncoders.notices(of: self, encoders) {
            logger.warning("an encoder is missing", metadata: ["notice": "\(notice)"])
        }
    }

    private static func demo() throws -> LoadedConfiguration {
        do {
            let file = try ConfigurationFile.parse(Demo.yaml, name: "demo", ownerOnly: true)
            return LoadedConfiguration(
                name: "the embedded demo configuration", isDemo: true, configuration: file.configuration,
                notices: file.notices)
        } catch {
            throw Failure.inConfiguration(error)
        }
    }

    private init(name: String, isDemo: Bool = false, configuration: BoxConfiguration, notices: [ConfigurationProblem]) {
        self.name = name
        self.isDemo = isDemo
        self.configuration = configuration
        self.notices = notices
    }
}
