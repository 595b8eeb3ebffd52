import Control
import ServiceLifecycle

/// Keeps the control socket for as long as the service runs.
struct ControlService: Service {
    let server: ControlServer
    let socket: ControlServer.Opened

    func run() async {
        await cancelWhenGracefulShutdown { await server.run(socket) }
    }
}
