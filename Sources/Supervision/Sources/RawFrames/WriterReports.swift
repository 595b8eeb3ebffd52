import DataPath
import Logging
import RTMPIngest
import Synchronization

/// Logs that writers of a FIFO come and go. A program that may open the FIFO can do so a thousand times a second.
final class WriterReports: Sendable {
    private struct State {
        var limit = ReportLimit()
        /// Whether the arrival of the writer was logged, so that its leaving is logged, too.
        var isLogged = false
    }

    private let state = Mutex(State())

    func log(_ event: FIFOEvent, _ logger: Logger) {
        switch event {
        case .writer:
            let suppressed = state.withLock { state in
                let suppressed = state.limit.note()
                state.isLogged = suppressed != nil
                return suppressed
            }
            guard let suppressed else { return }
            logger.notice("a program writes frames", metadata: suppressed > 0 ? ["suppressed": "\(suppressed)"] : [:])
        case .gone(let missing):
            guard state.withLock(\.isLogged) else { return }
            guard missing > 0 else { return logger.notice("the program that wrote frames has gone") }
            logger.warning(
                "the program that wrote frames has gone in the middle of one; it is filled up",
                metadata: ["missing": "\(missing) bytes"])
        }
    }
}
