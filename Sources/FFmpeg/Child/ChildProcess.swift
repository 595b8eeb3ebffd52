import Glibc
public import Redaction
import Subprocess
public import SystemPackage

/// One FFmpeg process from launch to exit.
public enum ChildProcess {
    /// Runs one command to its end and never throws: failing to start is an exit too.
    ///
    /// The child has descriptors 0 to 2 only, a session of its own, and dies with the service whatever kills that.
    /// Cancelling the task asks for a graceful stop and still waits for the end, so no message is lost and nothing leaks.
    ///
    /// - Parameters:
    ///   - stdin: the child's end, owned and closed by this call on every path; `nil` is /dev/null.
    ///   - stdout: likewise.
    ///   - environment: the service's environment; the child gets what drivers need of it, never the service's secrets.
    ///   - redactor: knows the service's secrets; those of the command are added.
    ///   - handle: stops the child.
    ///   - clock: times the steps of stopping.
    ///   - takes: called with each line, secrets and all, before any is left out; one that it takes goes no further. It must not block.
    ///   - events: called in order, never at the same time; it must not block.
    public static func run(
        _ command: FFmpegCommand,
        binary: FFmpegBinary,
        stdin: FileDescriptor?,
        stdout: FileDescriptor?,
        environment: [String: String],
        redactor: Redactor = Redactor(),
        handle: ChildHandle = ChildHandle(),
        clock: some Clock<Duration> = ContinuousClock(),
        takes: (@Sendable (LogLine) -> Bool)? = nil,
        events: @escaping @Sendable (ChildEvent) -> Void
    ) async -> ChildExit {
        let run = ChildRun(
            command: command, binary: binary, input: stdin, output: stdout,
            environment: environment, redactor: redactor.adding(command.secrets),
            handle: handle, clock: clock, takes: takes, events: events)
        // A task of its own: cancellation would close the child's stderr before its last lines are read.
        let task = Task { await run.run() }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            handle.stop(.gracefully)
        }
    }
}
