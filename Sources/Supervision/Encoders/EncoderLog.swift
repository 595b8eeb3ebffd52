import CapabilityProbe
import EncoderSelection
import FFmpeg
import Logging
import Synchronization

/// Logs the results of trials, and the GPUs that come and go.
final class EncoderLog: Sendable {
    private let logger: Logger
    /// The last failure of each candidate's trial.
    private let failures = Mutex<[EncoderCandidate: String]>([:])

    init(_ logger: Logger) { self.logger = logger }

    func note(_ trial: Trial, _ result: TrialResult) {
        let candidate = trial.candidate
        let metadata: Logger.Metadata = [
            "encoder": "\(candidate)", "size": "\(trial.job.settings.size ?? trial.job.arriving)",
        ]
        switch result {
        case .passed:
            failures.withLock { $0[candidate] = nil }
            logger.info("the encoder passed its trial", metadata: metadata)
        case .failed(let cause, let why):
            // The trial is repeated. The same failure is logged at notice once.
            let isNew = failures.withLock { $0.updateValue(why.sentence, forKey: candidate) } != why.sentence
            logger.log(
                level: isNew ? .notice : .debug, "the encoder failed its trial",
                metadata: metadata.merging(["cause": "\(cause.rawValue)", "reason": "\(why)"]) { $1 })
        }
    }

    /// Logs the GPUs that came and went since the last list.
    func note(_ gpus: [GPU], before: EncoderCatalogue) {
        let known = Set(before.gpus.map(\.slot)).subtracting(before.gone)
        for gpu in gpus where !known.contains(gpu.slot) {
            logger.notice("GPU found", metadata: ["gpu": "\(gpu.slot)", "driver": "\(gpu.driver)"])
        }
        for slot in known.subtracting(gpus.map(\.slot)).sorted() {
            logger.warning("GPU lost", metadata: ["gpu": "\(slot)"])
        }
    }

    func noteReset(of slot: String) {
        logger.warning("the kernel has reset a GPU", metadata: ["gpu": "\(slot)"])
    }

    func noteGivenUp(_ slot: String, recovery: String) {
        logger.error("the kernel has given up a GPU", metadata: ["gpu": "\(slot)", "wedged": "\(recovery)"])
    }
}
