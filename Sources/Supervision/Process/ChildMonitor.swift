import DataPath
import FFmpeg
import Logging
import Redaction
import SystemPackage

/// Runs one child of a runner: log lines, the first sign of life, and the words for its end.
struct ChildMonitor: Sendable {
    let context: ServiceContext
    let logger: Logger
    /// Of the lines that every try may bring.
    let fold = LineFold()

    /// Logs what every try may bring: the first time at once, then once a minute with how often it came between.
    func log(_ level: Logger.Level, _ text: String, metadata: Logger.Metadata = [:]) {
        guard let folded = fold.note(text, now: context.clock.now) else {
            return logger.trace("\(text)", metadata: metadata)
        }
        var metadata = metadata
        if folded > 0 { metadata["repeated"] = "\(folded)" }
        logger.log(level: level, "\(text)", metadata: metadata)
    }

    /// Runs a command until it ends.
    ///
    /// - Parameters:
    ///   - expected: Causes that are nobody's concern: they are logged at debug.
    ///   - certificate: What the server's certificate is asked where FFmpeg does not say what is wrong with it.
    ///   - connected: Called when a publisher's target has accepted the connection.
    ///   - takes: Called with each line, secrets and all; one that it takes goes no further. It must not block.
    ///   - says: Called with what it says; it must not block.
    ///   - progressed: Called with what FFmpeg says of its progress.
    func run(
        _ command: FFmpegCommand, input: FileDescriptor?, output: FileDescriptor?, child: ChildHandle,
        expected: Set<FailureCause> = [], certificate: CertificateQuestion? = nil,
        connected: @escaping @Sendable () -> Void = {},
        takes: (@Sendable (LogLine) -> Bool)? = nil, says: @escaping @Sendable (LogLine) -> Void = { _ in },
        progressed: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async -> ChildExit {
        let logger = logger
        context.secrets.learn(command.secrets)
        let takes = { @Sendable (line: LogLine) in FFmpegNoise.contains(line) || takes?(line) ?? false }
        let ending = await context.launcher.run(
            command, binary: context.ffmpeg, stdin: input, stdout: output,
            environment: context.environment, handle: child, takes: takes
        ) { event in
            switch event {
            case .started(let pid): logger.debug("started", metadata: ["pid": "\(pid)"])
            case .outputOpened: connected()
            case .progress(let progress): progressed(progress)
            case .log(let line):
                says(line)
                logger.debug("ffmpeg: \(line.text)")
            case .logSuppressed(let count): logger.debug("ffmpeg: \(count) lines left out")
            }
        }
        let exit = await explained(ending, by: certificate, child: child)
        report(exit, expected: expected)
        return exit
    }

    private func report(_ exit: ChildExit, expected: Set<FailureCause>) {
        if exit.status == .abandoned {
            return logger.error(
                "its process cannot be ended, because a disk or a driver does not answer; it is left to the kernel")
        }
        guard let cause = exit.cause else {
            logger.debug("ended as asked", metadata: ["status": "\(exit.status)"])
            return
        }
        if expected.contains(cause) {
            logger.debug(
                "ended: \(cause.sentence)", metadata: ["status": "\(exit.status)", "cause": "\(cause.rawValue)"])
            return
        }
        let last = exit.log.last(3).joined(separator: " | ")
        log(
            .warning, "ended: \(cause.sentence)",
            metadata: ["status": "\(exit.status)", "cause": "\(cause.rawValue)", "last": "\(last)"])
    }
}
