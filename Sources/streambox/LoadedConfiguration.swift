import Configuration
import Glibc

/// The configuration that a command works with, and where it came from.
struct LoadedConfiguration {
    var name: String
    var isDemo = false
    var configuration: BoxConfiguration
    var notices: [ConfigurationProblem]

    /// The file of the packaged unit's service.
    static let usual = "/etc/streambox/streambox.yaml"

    /// Finds and reads the configuration.
    ///
    /// - Parameter path: The file asked for; `nil` takes the usual places, then the demo.
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
            do {
                let file = try ConfigurationFile.parse(Demo.yaml, name: "demo", ownerOnly: true)
                self.init(name: "the embedded demo configuration", isDemo: true, configuration: file.configuration, notices: file.notices)
            } catch {
                throw Failure.inConfiguration(error)
            }
        }
    }

    private init(name: String, isDemo: Bool = false, configuration: BoxConfiguration, notices: [ConfigurationProblem]) {
        self.name = name
        self.isDemo = isDemo
        self.configuration = configuration
        self.notices = notices
    }
}
