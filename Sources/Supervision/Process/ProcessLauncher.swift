import FFmpeg
import SystemPackage

/// Runs child processes. The runners take one as a parameter, so that a test runs them without processes.
protocol ProcessLauncher: Sendable {
    /// Runs one command to its end and never throws: a failure to start is an exit too.
    ///
    /// Cancelling the task stops the child gracefully. The call still returns after the child has ended.
    ///
    /// - Parameters:
    ///   - stdin: The child's end, owned and closed by this call on every path; `nil` is /dev/null.
    ///   - stdout: The same for its standard output.
    ///   - handle: Stops the child.
    ///   - takes: Called with each line, secrets included. If it returns true, the line is neither logged nor reported.
    ///     It must not block.
    ///   - events: Called in order, never at the same time. It must not block.
    func run(
        _ command: FFmpegCommand, binary: FFmpegBinary, stdin: FileDescriptor?, stdout: FileDescriptor?,
        environment: [String: String], handle: ChildHandle, takes: (@Sendable (LogLine) -> Bool)?,
        events: @escaping @Sendable (ChildEvent) -> Void
    ) async -> ChildExit
}

/// Runs real processes.
struct SystemProcessLauncher: ProcessLauncher {
    func run(
        _ command: FFmpegCommand, binary: FFmpegBinary, stdin: FileDescriptor?, stdout: FileDescriptor?,
        environment: [String: String], handle: ChildHandle, takes: (@Sendable (LogLine) -> Bool)?,
        events: @escaping @Sendable (ChildEvent) -> Void
    ) async -> ChildExit {
        await ChildProcess.run(
            command, binary: binary, stdin: stdin, stdout: stdout, environment: environment, handle: handle,
            takes: takes, events: events)
    }
}
