import DataPath
import FFmpeg
import Logging
import Redaction
import SystemPackage

/// Runs the processes of one runner, one at a time, and logs their start, their lines and their end.
struct ChildMonitor: Sendable {
    let context: ServiceContext
    let logger: Logger
    /// Limits the lines that every attempt repeats.
    let fold = LineFold()

    /// Logs a line that every attempt may repeat: at once, and then once a minute with the number of those between.
    ///
    /// - Parameter reason: The part of the line that differs from case to case. Lines with different reasons are
    ///   different lines.
    func log(_ level: Logger.Level, _ text: String, reason: String? = nil, metadata: Logger.Metadata = [:]) {
        var metadata = metadata
        if let reason { metadata["reason"] = "\(reason)" }
        guard let folded = fold.note([text, reason ?? ""].joined(separator: "\0"), now: context.clock.now) else {
            return logger.trace("\(text)", metadata: metadata)
        }
        if folded > 0 { metadata["repeated"] = "\(folded)" }
        logger.log(level: level, "\(text)", metadata: metadata)
    }

    /// Runs a command until it ends.
    ///
    /// - Parameters:
    ///   - expected: The causes that are no failure. They are logged at debug.
    ///   - certificate: The check of the server's certificate, if FFmpeg does not say what is wrong with it.
    ///   - connected: Called when a target has accepted the connection of its publisher.
    ///   - consumesLine: Called with each line, secrets included. If it returns true, the line is neither logged nor
    ///     passed to `onLine`. It must not block.
    ///   - onLine: Called with each line that `consumesLine` does not consume. It must not block.
    ///   - onProgress: Called with FFmpeg's progress.
    func run(
        _ command: FFmpegCommand, input: FileDescriptor?, output: FileDescriptor?, child: ChildHandle,
        expected: Set<FailureCause> = [], certificate: CertificateQuestion? = nil,
        connected: @escaping @Sendable () -> Void = {},
        consumesLine: (@Sendable (LogLine) -> Bool)? = nil, onLine: @escaping @Sendable (LogLine) -> Void = { _ in },
        onProgress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async -> ChildExit {
        let logger = logger
        context.secrets.learn(command.secrets)
        let consumes = { @Sendable (line: LogLine) in FFmpegNoise.contains(line) || consumesLine?(line) ?? false }
        let ending = await context.launcher.run(
            command, binary: context.ffmpeg, stdin: input, stdout: output,
            environment: context.environment, handle: child, consumesLine: consumes
        ) { event in
            switch event {
            case .started(let pid): logger.debug("started", metadata: ["pid": "\(pid)"])
            case .outputOpened: connected()
            case .progress(let progress): onProgress(progress)
            case .log(let line):
                onLine(line)
                logger.debug("FFmpeg output", metadata: ["line": "\(line.text)"])
            case .logSuppressed(let count): logger.debug("FFmpeg output left out", metadata: ["lines": "\(count)"])
            }
        }
        let exit = await explained(ending, by: certificate, child: child)
        report(exit, expected: expected)
        return exit
    }

    private func report(_ exit: ChildExit, expected: Set<FailureCause>) {
        if exit.status == .abandoned {
            return logger.error("the process cannot be ended: a disk or a driver does not answer, left to the kernel")
        }
        var metadata: Logger.Metadata = ["status": "\(exit.status)"]
        guard let cause = exit.cause else { return logger.debug("process ended as asked", metadata: metadata) }
        metadata["cause"] = "\(cause.rawValue)"
        if expected.contains(cause) {
            metadata["reason"] = "\(cause.sentence)"
            return logger.debug("process ended", metadata: metadata)
        }
        metadata["last"] = "\(exit.log.last(3).joined(separator: " | "))"
        log(.warning, "process ended", reason: cause.sentence, metadata: metadata)
    }
}
