import ServiceLifecycle
import Supervision
import SystemSupport

/// Stores the encoder that each group uses, for the next start.
struct EncoderMemory: Service {
    let encoders: EncoderManager
    /// The content of the file at the start.
    let before: [String: String]
    let file: StateFile<[String: String]>
    let persister: StatePersister

    /// How long the disk may delay the end of the service: the last frames of the streams still have to be sent.
    private static let lastPatience = Duration.seconds(1)

    func run() async {
        let written = await cancelWhenGracefulShutdown { () async -> [String: String] in
            var written = before
            for await lastUsed in encoders.lastUsedChanges {
                if await persister.keep(lastUsed, in: file) == nil { written = lastUsed }
                // A device that comes and goes must not wear out the disk.
                try? await Task.sleep(for: .seconds(5))
            }
            return written
        }
        // Stores what changed during the last pause.
        let last = encoders.lastUsed
        guard last != written else { return }
        _ = await BlockingIO.wait(atMost: Self.lastPatience) { await persister.keep(last, in: file) }
    }
}
