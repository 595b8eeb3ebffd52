import ServiceLifecycle
import ServiceManager
import Status

/// Tells the service manager when the service is on air, how it is, and that it ends.
struct ManagedService: Service {
    let manager: ServiceManager
    let status: SharedStatus

    private static let patience = Duration.seconds(5)
    /// From one look to the next until the service is ready, and after that.
    private static let starting = Duration.milliseconds(200)
    private static let running = Duration.seconds(2)

    func run() async {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    if let snapshot = await status.snapshot(within: Self.patience) {
                        if snapshot.isOnAir { manager.ready() }
                        manager.tell(snapshot.summary)
                    } else if !Task.isCancelled {
                        manager.tell("the supervisor does not answer")
                    }
                    try? await Task.sleep(for: manager.isReady ? Self.running : Self.starting)
                }
            }
        } onGracefulShutdown: {
            manager.stopping("ending: what was received still goes out")
        }
    }
}
