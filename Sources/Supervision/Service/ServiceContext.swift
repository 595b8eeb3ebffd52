package import FFmpeg
import Glibc
package import Logging
package import Redaction
package import SystemPackage

/// The parts of the machine that every runner needs.
package struct ServiceContext: Sendable {
    package var ffmpeg: FFmpegBinary
    /// The service's own folder: slates while they are rendered, and the ports of taps.
    package var runtime: FilePath
    /// The environment with secrets and credentials.
    package var environment: [String: String]
    package var logger: Logger
    /// The secrets that must not be shown. It learns those that processes get.
    package var secrets: SecretBook
    /// The encoders of this FFmpeg, the GPUs of the machine, and the results of their trials.
    package var encoders: EncoderManager
    /// The capture cards that are plugged in.
    package var captures: CaptureManager
    /// The steps by which the wall clock is set. For tests.
    var clockSteps: @Sendable () -> AsyncStream<Duration> = { ClockWatch.steps() }

    /// Runs the child processes. A test replaces it, and runs no process.
    var launcher: any ProcessLauncher = SystemProcessLauncher()
    /// Measures times and waits. A test replaces it by a clock that it advances by hand.
    var clock: any ServiceClock = ContinuousClock()

    let registry = StatisticsRegistry()

    /// The service's own program, started again for work that may hang with a disk.
    var program = ServiceContext.ownProgram {
        didSet { disk = Disk(OwnProgram(self), logger: logger) }
    }
    /// The files of the service, on disks that may hang.
    package private(set) var disk: Disk

    /// Reads the secrets of the configuration.
    var secretReader: SecretReader { SecretReader(environment: environment, disk: disk) }

    /// The path of the running program. If a package has replaced the program, the path leads to the new version.
    private static let ownProgram: String = {
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &bytes, bytes.count)
        let path = String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let deleted = " (deleted)"
        return path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path
    }()

    /// The first slates, kept from one start to the next. `nil` if there is no folder for them.
    package var slates: SlateStore?
    /// The values that system tests change.
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
