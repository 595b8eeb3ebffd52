import Glibc
package import Redaction
import Subprocess
import Synchronization
package import SystemPackage

/// One FFmpeg process from launch to exit.
package enum ChildProcess {
    /// Runs one command to its end. It never throws: a failed start is an exit too.
    ///
    /// The child has only descriptors 0 to 2 and a session of its own, and ends with the service, however the service
    /// ends. Cancelling the task requests a graceful stop and still waits for the end, so no message is lost and
    /// nothing leaks. Only a process that SIGKILL does not end is left to the kernel: after a second if it waits in the
    /// kernel for a disk or a driver, otherwise after a few more, or when the task is cancelled.
    ///
    /// - Parameters:
    ///   - stdin: The descriptor that becomes the child's standard input. This call owns it and closes it on every
    ///     path. `nil` means /dev/null.
    ///   - stdout: The descriptor that becomes the child's standard output, owned and closed in the same way.
    ///   - environment: The service's environment. The child gets the variables that drivers need, and no secrets.
    ///   - redactor: Knows the service's secrets. Those of the command are added.
    ///   - handle: Stops the child.
    ///   - clock: Times the steps of stopping.
    ///   - consumesLine: Called with each line, secrets included, before any line is left out. If it returns true, the
    ///     line is not processed further. It must not block.
    ///   - onEvent: Called with one event after the other, never concurrently. It must not block.
    package static func run(
        _ command: FFmpegCommand,
        binary: FFmpegBinary,
        stdin: FileDescriptor?,
        stdout: FileDescriptor?,
        environment: [String: String],
        redactor: Redactor = Redactor(),
        handle: ChildHandle = ChildHandle(),
        clock: some Clock<Duration> = ContinuousClock(),
        consumesLine: (@Sendable (LogLine) -> Bool)? = nil,
        onEvent: @escaping @Sendable (ChildEvent) -> Void
    ) async -> ChildExit {
        let exit = FirstExit()
        let run = ChildRun(
            command: command, binary: binary, input: stdin, output: stdout,
            environment: environment, redactor: redactor.adding(command.secrets),
            handle: handle, clock: clock, consumesLine: consumesLine, onEvent: onEvent, abandon: { exit.give($0) })
        // A separate task: cancellation would close the child's stderr before its last lines are read.
        Task { exit.give(await run.run()) }
        return await withTaskCancellationHandler {
            await exit.value
        } onCancel: {
            handle.hurry()
            handle.stop(.gracefully)
        }
    }
}

/// The exit of a child. It is set once: when the child ends, or when the service no longer waits for it.
private final class FirstExit: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<ChildExit, Never>)
        case given(ChildExit)
    }

    private let state = Mutex(State.open)

    func give(_ exit: ChildExit) {
        let waiting = state.withLock { state -> CheckedContinuation<ChildExit, Never>? in
            switch state {
            case .given: return nil
            case .open:
                state = .given(exit)
                return nil
            case .awaited(let continuation):
                state = .given(exit)
                return continuation
            }
        }
        waiting?.resume(returning: exit)
    }

    var value: ChildExit {
        get async {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> ChildExit? in
                    if case .given(let exit) = state { return exit }
                    state = .awaited(continuation)
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        }
    }
}
