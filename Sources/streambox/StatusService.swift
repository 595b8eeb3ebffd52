import Configuration
import Logging
import ServiceLifecycle
import Status

/// Takes the service's figures at a steady pace, and publishes them where the configuration says.
///
/// Nothing waits for it: a disk that hangs holds up this task alone.
struct StatusService: Service {
    let desk: ControlDesk
    let configuration: StatusConfiguration
    let logger: Logger

    func run() async {
        let file = configuration.file.map { StatusFile(path: $0) }
        await cancelWhenGracefulShutdown {
            var lastProblem: String?
            var isStarting = true
            while !Task.isCancelled {
                let snapshot = await desk.snapshot()
                if let file {
                    do {
                        try file.write(PrometheusText.render(snapshot))
                        if lastProblem != nil { logger.notice("the metrics file is written again") }
                        lastProblem = nil
                    } catch {
                        if lastProblem != "\(error)" { logger.error("\(error); it is tried again") }
                        lastProblem = "\(error)"
                    }
                }
                try? await Task.sleep(for: configuration.every)
                if isStarting { StartupPages.giveBack() }
                isStarting = false
            }
        }
        file?.remove()
    }
}
