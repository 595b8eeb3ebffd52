import FFmpeg
import SystemPackage

/// Runs child processes. Each runner gets a launcher as a parameter, so that a test can run it without processes.
protocol ProcessLauncher: Sendable {
    /// Runs one command to its end and never throws: a failure to start is an exit too.
    ///
    /// Cancelling the task asks the child to stop. Even then the call returns only after the child has ended.
    ///
    /// - Parameters:
    ///   - stdin: The descriptor that becomes the child's standard input. This call owns it and closes it on every
    ///     path. `nil` means /dev/null.
    ///   - stdout: The descriptor that becomes the child's standard output, owned and closed in the same way.
    ///   - handle: Stops the child.
    ///   - consumesLine: Called with each line, secrets included. If it returns true, the line is neither logged nor
    ///     reported as an event. It must not block.
    ///   - onEvent: Called with one event after the other, never concurrently. It must not block.
    func run(
        _ command: FFmpegCommand, binary: FFmpegBinary, stdin: FileDescriptor?, stdout: FileDescriptor?,
        environment: [String: String], handle: ChildHandle, consumesLine: (@Sendable (LogLine) -> Bool)?,
        onEvent: @escaping @Sendable (ChildEvent) -> Void
    ) async -> ChildExit
}

/// Runs real processes.
struct SystemProcessLauncher: ProcessLauncher {
    func run(
        _ command: FFmpegCommand, binary: FFmpegBinary, stdin: FileDescriptor?, stdout: FileDescriptor?,
        environment: [String: String], handle: ChildHandle, consumesLine: (@Sendable (LogLine) -> Bool)?,
        onEvent: @escaping @Sendable (ChildEvent) -> Void
    ) async -> ChildExit {
        await ChildProcess.run(
            command, binary: binary, stdin: stdin, stdout: stdout, environment: environment, handle: handle,
            consumesLine: consumesLine, onEvent: onEvent)
    }
}
