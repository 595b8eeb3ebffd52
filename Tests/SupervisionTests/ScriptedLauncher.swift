import Synchronization
import SystemPackage

@testable import FFmpeg
@testable import Supervision

/// Records the commands that a runner launches, and lets a test play their processes.
final class ScriptedLauncher: ProcessLauncher {
    /// One command that was launched. It runs until the test ends it.
    final class Launch: Sendable {
        let command: FFmpegCommand
        let binary: FFmpegBinary
        /// The child's ends of its pipes. The launcher closes them when the child ends.
        let stdin: FileDescriptor?
        let stdout: FileDescriptor?
        let handle: ChildHandle
        private let consumesLine: (@Sendable (LogLine) -> Bool)?
        private let onEvent: @Sendable (ChildEvent) -> Void
        fileprivate let exits: AsyncStream<ChildExit>
        private let end: AsyncStream<ChildExit>.Continuation
        fileprivate let ends = Journal<ChildStatus>()

        fileprivate init(
            _ command: FFmpegCommand, _ binary: FFmpegBinary, stdin: FileDescriptor?, stdout: FileDescriptor?,
            _ handle: ChildHandle, consumesLine: (@Sendable (LogLine) -> Bool)?,
            onEvent: @escaping @Sendable (ChildEvent) -> Void
        ) {
            self.command = command
            self.binary = binary
            self.stdin = stdin
            self.stdout = stdout
            self.handle = handle
            self.consumesLine = consumesLine
            self.onEvent = onEvent
            (exits, end) = AsyncStream.makeStream()
        }

        /// How the child was asked to end; `nil` if it was not.
        var stop: ChildHandle.Stop? { handle.requested }

        func send(_ event: ChildEvent) { onEvent(event) }

        /// Says a line, as FFmpeg does on its standard error.
        func say(_ text: String, _ level: LogLine.Level = .error) {
            let line = LogLine(level: level, text: text)
            if consumesLine?(line) != true { onEvent(.log(line)) }
        }

        /// Waits until the child has ended, and returns how it was asked to.
        func untilEnded(_ status: ChildStatus) async -> ChildHandle.Stop? {
            await ends.until(status)
            return handle.requested
        }

        /// Ends the child; only the first call counts.
        func exit(_ status: ChildStatus, _ cause: FailureCause? = nil, log lines: [String] = []) {
            var log = LogExcerpt()
            for line in lines { log.append(line, isError: true) }
            end.yield(ChildExit(status: status, asked: handle.requested != nil, cause: cause, log: log))
            end.finish()
        }
    }

    private struct State {
        var launches: [Launch] = []
        /// How many of them ``next()`` has returned.
        var taken = 0
        var waiting: [CheckedContinuation<Launch, Never>] = []
    }

    private let state = Mutex(State())
    /// Whether a child ends at once when it is asked to.
    private let obeys: Bool

    init(obeys: Bool = true) { self.obeys = obeys }

    /// All launches so far, in order.
    var launches: [Launch] { state.withLock { $0.launches } }

    /// The next launch that the test has not seen; waits for it.
    func next() async -> Launch {
        await withCheckedContinuation { continuation in
            let launch = state.withLock { state -> Launch? in
                guard state.taken < state.launches.count else {
                    state.waiting.append(continuation)
                    return nil
                }
                defer { state.taken += 1 }
                return state.launches[state.taken]
            }
            if let launch { continuation.resume(returning: launch) }
        }
    }

    func run(
        _ command: FFmpegCommand, binary: FFmpegBinary, stdin: FileDescriptor?, stdout: FileDescriptor?,
        environment: [String: String], handle: ChildHandle, consumesLine: (@Sendable (LogLine) -> Bool)?,
        onEvent: @escaping @Sendable (ChildEvent) -> Void
    ) async -> ChildExit {
        let launch = Launch(
            command, binary, stdin: stdin, stdout: stdout, handle, consumesLine: consumesLine, onEvent: onEvent)
        let waiting = state.withLock { state -> CheckedContinuation<Launch, Never>? in
            state.launches.append(launch)
            guard !state.waiting.isEmpty else { return nil }
            state.taken += 1
            return state.waiting.removeFirst()
        }
        waiting?.resume(returning: launch)
        let obedience = Task { [obeys] in
            await handle.untilAsked()
            guard obeys, !Task.isCancelled else { return }
            launch.exit(handle.requested == .now ? .signalled(9) : .exited(255), handle.blame)
        }
        let exit = await withTaskCancellationHandler {
            // The loop ends with the child even if this task is cancelled.
            await Task { await launch.exits.first { _ in true } }.value
        } onCancel: {
            handle.stop(.gracefully)
        }
        obedience.cancel()
        try? stdin?.close()
        try? stdout?.close()
        launch.ends.add(exit!.status)
        return exit!
    }
}
