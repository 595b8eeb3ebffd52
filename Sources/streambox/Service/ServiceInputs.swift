import FFmpeg
import Logging
import Redaction
import Supervision

/// The values that the parts of the service are built from.
struct ServiceInputs {
    /// The path given with `--config`. `nil` without that option: the usual places are then searched.
    let path: String?
    let file: LoadedConfiguration
    let environment: [String: String]
    let paths: ServicePaths
    let state: StateFiles
    /// What the last start of the service stored about its FFmpeg.
    let known: FFmpegKnowledge?
    let ffmpeg: InstalledFFmpeg
    let testHooks: TestHooks
    let secrets: SecretBook
    let logger: Logger
}
