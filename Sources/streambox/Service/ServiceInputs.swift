import FFmpeg
import Logging
import Redaction
import Supervision

/// The values that the parts of the service are built from.
struct ServiceInputs {
    /// The file asked for with `--config`; `nil` for the usual places.
    let path: String?
    let file: LoadedConfiguration
    let environment: [String: String]
    let paths: ServicePaths
    let state: StateFiles
    /// The knowledge that the last start stored of its FFmpeg.
    let known: FFmpegKnowledge?
    let ffmpeg: InstalledFFmpeg
    let testHooks: TestHooks
    let secrets: SecretBook
    let logger: Logger
}
