import ArgumentParser
import BoxConfiguration
import Control
import Glibc

/// The options with which a command finds the running service.
struct ServiceOptions: ParsableArguments {
    @Option(help: "The configuration file of the running service.")
    var config: String?

    @Option(help: "The runtime folder of the running service; by default the one in its configuration.")
    var runtime: String?

    /// Sends a request to the service.
    ///
    /// - Throws: ``Failure``: status 1 if the service does not answer or refuses, 2 if the request is wrong.
    func ask(_ request: ControlRequest) throws -> ControlReply {
        let reply: ControlReply
        do {
            reply = try ControlClient(path: ServicePaths.controlSocket(in: try folder())).send(request)
        } catch {
            throw Failure.atRunTime(error)
        }
        switch reply.outcome {
        case .done: return reply
        case .refused: throw Failure(status: 1, description: "streambox: \(reply.message)")
        case .mistaken: throw Failure(status: 2, description: "streambox: \(reply.message)")
        }
    }

    /// The runtime folder of the service.
    func folder() throws -> String {
        if let runtime { return runtime }
        let environment = processEnvironment()
        let folder: String?
        do {
            folder = ServicePaths.runtime(
                try LoadedConfiguration(config, environment: environment).configuration, environment: environment)
        } catch {
            // The service runs on with the configuration that it read before its file had a mistake, and can be asked
            // what is wrong.
            guard [nil, LoadedConfiguration.usual].contains(config), Self.hasSocket(ServicePaths.ofUnit) else {
                throw error
            }
            return ServicePaths.ofUnit
        }
        // The packaged service has a folder that the environment of a shell does not name, and a login session has one
        // that the service does not use.
        let candidates = [folder, ServicePaths.ofUnit].compactMap { $0 }
        guard let found = candidates.first(where: Self.hasSocket) ?? folder else {
            throw Failure(
                status: 1,
                description:
                    """
                    streambox: no runtime folder is configured; name the one that the service printed with \
                    --runtime, or set `runtime:`
                    """
            )
        }
        return found
    }

    /// Whether there is a control socket in the folder, or this user may not see whether there is.
    private static func hasSocket(_ folder: String) -> Bool {
        access(ServicePaths.controlSocket(in: folder), F_OK) == 0 || errno == EACCES
    }
}
