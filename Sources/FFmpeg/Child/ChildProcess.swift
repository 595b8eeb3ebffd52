import Glibc
package import Redaction
import Subprocess
import Synchronization
package import SystemPackage

/// One FFmpeg process from launch to exit.
package enum ChildProcess {
    /// Runs one command to its end and never throws: failing to start is an exit too.
    ///
    /// The child has descriptors 0 to 2 only, a session of its own, and dies with the service whatever kills that.
    /// Cancelling the task asks for a graceful stop and still waits for the end, so no message is lost and nothing
    /// leaks. Only a process that SIGKILL does not end is not waited for: it is left to the kernel, after a second
    /// where it waits there for a disk or a driver, and else after some more, or when the task is cancelled.
    ///
    /// - Parameters:
    ///   - stdin: the child's end, owned and closed by this call on every path; `nil` is /dev/null.
    ///   - stdout: likewise.
    ///   - environment: the service's environment; the child gets what drivers need of it, never the service's secrets.
    ///   - redactor: knows the service's secrets; those of the command are added.
    ///   - handle: stops the child.
    ///   - clock: times the steps of stopping.
    ///   - takes: called with each line, secrets and all, before any is left out; one that it takes goes no further. It
    ///     must not block.
    ///   - events: called in order, never at the same time; it must not block.
    package static func run(
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
        let exit = FirstExit()
        let run = ChildRun(
            command: command, binary: binary, input: stdin, output: stdout,
            environment: environment, redactor: redactor.adding(command.secrets),
            handle: handle, clock: clock, takes: takes, events: events, abandon: { exit.give($0) })
        // A task of its own: cancellation would close the child's stderr before its last lines are read.
        Task { exit.give(await run.run()) }
        return await withTaskCancellationHandler {
            await exit.value
        } onCancel: {
            handle.hurry()
            handle.stop(.gracefully)
        }
    }
}

/// The exit of a child. It is set once: when the child ends, or when it is no longer waited for.
private final class FirstExit: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<ChildExit, Never>)
        case told(ChildExit)
    }

    private let state = Mutex(State.open)

    func give(_ exit: ChildExit) {
        let waiting = state.withLock { state -> CheckedContinuation<ChildExit, Never>? in
            switch state {
            case .told: return nil
            case .open:
                state = .told(exit)
                return nil
            case .awaited(let continuation):
                state = .told(exit)
                return continuation
            }
        }
        waiting?.resume(returning: exit)
    }

    var value: ChildExit {
        get async {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> ChildExit? in
                    if case .told(let exit) = state { return exit }
                    state = .awaited(continuation)
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        }
    }
}
