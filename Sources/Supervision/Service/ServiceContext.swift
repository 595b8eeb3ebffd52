package import FFmpeg
import Glibc
package import Logging
package import Redaction
package import SystemPackage

/// What every runner needs of the machine it runs on.
package struct ServiceContext: Sendable {
    package var ffmpeg: FFmpegBinary
    /// A folder of our own: slates while they are made, and which tap has which port.
    package var runtime: FilePath
    /// The environment that secrets and credentials come from.
    package var environment: [String: String]
    package var logger: Logger
    /// What must not be shown: it learns what processes are given.
    package var secrets: SecretBook
    /// The encoders that this FFmpeg has, the GPUs of the machine, and what is known of them.
    package var encoders: EncoderManager
    /// The capture cards that are plugged in.
    package var captures: CaptureManager
    /// By how much the wall clock is set, each time; for tests.
    var clockSteps: @Sendable () -> AsyncStream<Duration> = { ClockWatch.steps() }

    let registry = StatisticsRegistry()

    /// The service's own program, which is run again for what may hang with a disk.
    var program = ServiceContext.ownProgram {
        didSet { disk = Disk(OwnProgram(self), logger: logger) }
    }
    /// The files of the service, on disks that may hang.
    package private(set) var disk: Disk

    /// Reads the secrets of the configuration.
    var secretReader: SecretReader { SecretReader(environment: environment, disk: disk) }

    /// The path of the program that runs. When a package has put another version in its place, that one is taken.
    private static let ownProgram: String = {
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &bytes, bytes.count)
        let path = String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let deleted = " (deleted)"
        return path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path
    }()

    /// First slates, from one start to the next; `nil` where there is no place for them.
    package var slates: SlateStore?
    /// What system tests change.
    package var testHooks = TestHooks()

    package init(
        ffmpeg: FFmpegBinary, encoders: EncoderManager, runtime: FilePath, environment: [String: String],
        secrets: SecretBook = SecretBook(), logger: Logger
    ) {
        self.ffmpeg = ffmpeg
        self.encoders = encoders
        captures = CaptureManager(logger: logger)
        let program = OwnProgram(
            path: ServiceContext.ownProgram, capabilities: ffmpeg.capabilities, environment: environment)
        disk = Disk(program, logger: logger)
        self.runtime = runtime
        self.environment = environment
        self.secrets = secrets
        self.logger = logger
    }

    func logger(_ metadata: Logger.Metadata) -> Logger {
        var logger = logger
        for (key, value) in metadata { logger[metadataKey: key] = value }
        return logger
    }
}
