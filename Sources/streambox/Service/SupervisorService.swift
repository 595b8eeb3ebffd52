import ServiceLifecycle
import ServiceManager
import Supervision

/// Runs the supervisor until the service shuts down.
struct SupervisorService: Service {
    let supervisor: Supervisor
    let manager: ServiceManager?

    func run() async {
        await withGracefulShutdownHandler {
            await supervisor.run(heartbeat: heartbeat)
        } onGracefulShutdown: {
            supervisor.stop()
        }
    }

    /// Four beats in the time in which the service manager expects one: it does not kill a service that is busy for a
    /// moment.
    private var heartbeat: Supervisor.Heartbeat? {
        guard let manager, let watchdog = manager.watchdog else { return nil }
        return Supervisor.Heartbeat(every: watchdog / 4) { manager.alive() }
    }
}
