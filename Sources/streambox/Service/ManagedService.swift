import ServiceLifecycle
import ServiceManager
import Status

/// Tells the service manager when the service is on air and when it ends, and its status in between.
struct ManagedService: Service {
    let manager: ServiceManager
    let status: SharedStatus

    private static let patience = Duration.seconds(5)
    /// How often the status is checked, before and after the service is ready.
    private static let starting = Duration.milliseconds(200)
    private static let running = Duration.seconds(2)

    func run() async {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    if let snapshot = await status.snapshot(within: Self.patience) {
                        if snapshot.isOnAir { manager.ready() }
                        manager.update(snapshot.summary)
                    } else if !Task.isCancelled {
                        manager.update("the supervisor does not answer")
                    }
                    try? await Task.sleep(for: manager.isReady ? Self.running : Self.starting)
                }
            }
        } onGracefulShutdown: {
            manager.stopping("ending: frames that were received are still sent")
        }
    }
}
