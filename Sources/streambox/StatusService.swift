import Configuration
import Logging
import ServiceLifecycle
import Status

/// Takes the service's figures at a steady pace, and publishes them where the configuration says.
///
/// Nothing waits for it: a disk that hangs holds up one thread, which does nothing else.
struct StatusService: Service {
    let status: SharedStatus
    let configuration: StatusConfiguration
    let problems: ProblemBoard
    let logger: Logger

    private static let problem = "status-file"
    /// How long the supervisor may take to say how it is, and a disk to take the file.
    private static let patience = Duration.seconds(5)
    /// How long a disk may hold up the end of the service.
    private static let lastPatience = Duration.seconds(1)

    func run() async {
        let file = configuration.file.map { StatusFile(path: $0) }
        let writer = file.map { file in StatusFileWriter { try file.write($0) } }
        await cancelWhenGracefulShutdown {
            var isStarting = true
            var problemLog = ProblemLog()
            while !Task.isCancelled {
                // Taken where no file is written too: rates are from one look to the next.
                let snapshot = await status.snapshot(within: Self.patience)
                if let snapshot {
                    for change in problemLog.note(snapshot.problems, but: problems.problems, now: .now) { change.log(to: logger) }
                }
                if let file, let writer, let snapshot { await publish(PrometheusText.render(snapshot), with: writer, to: file) }
                try? await Task.sleep(for: configuration.every)
                if isStarting { StartupPages.giveBack() }
                isStarting = false
            }
        }
        if let file, let writer { await writer.finish(within: Self.lastPatience) { file.remove() } }
    }

    private func publish(_ text: [UInt8], with writer: StatusFileWriter, to file: StatusFile) async {
        switch await writer.publish(text, within: min(configuration.every, Self.patience)) {
        case .written:
            if problems.clear(Self.problem, subject: file.path) { logger.notice("the metrics file is written again") }
        case .failed(let why):
            complain(why, of: file)
        case .busy where Task.isCancelled:
            break
        case .busy:
            complain("cannot write the metrics file \(file.path): the disk does not answer; see whether its file system hangs", of: file)
        }
    }

    private func complain(_ why: String, of file: StatusFile) {
        if problems.report(Problem(Self.problem, subject: file.path, sentence: why)) { logger.error("\(why); it is tried again") }
    }
}
