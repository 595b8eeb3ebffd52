import ServiceLifecycle
import SystemSupport
import UnixSignals

/// Reloads the configuration at each SIGHUP. Several signals during one reload cause one more.
struct ReloadService: Service {
    let reload: LatestRun<[String]>

    func run() async {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { tasks in
                for await _ in signals {
                    // The reload logs its failures.
                    tasks.addTask { _ = try? await reload() }
                }
            }
        }
    }
}
