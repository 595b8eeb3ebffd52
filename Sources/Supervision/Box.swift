public import FFmpeg
public import Logging
public import SystemPackage

/// What every runner needs of the machine it runs on.
public struct Box: Sendable {
    public var ffmpeg: FFmpegBinary
    /// A folder of our own, 0700: secret files while FFmpeg reads them, and which tap has which port.
    public var runtime: FilePath
    /// The environment that secrets and credentials come from.
    public var environment: [String: String]
    public var logger: Logger

    public init(ffmpeg: FFmpegBinary, runtime: FilePath, environment: [String: String], logger: Logger) {
        self.ffmpeg = ffmpeg
        self.runtime = runtime
        self.environment = environment
        self.logger = logger
    }

    func logger(_ metadata: Logger.Metadata) -> Logger {
        var logger = logger
        for (key, value) in metadata { logger[metadataKey: key] = value }
        return logger
    }
}
