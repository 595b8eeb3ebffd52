import FFmpeg
import Logging
import Synchronization

/// Prepares, tidies and prunes the folder of a recording, through child processes of the service's own program, each
/// with a time limit.
final class RecordingFolder: Sendable {
    private let folder: String
    private let name: String
    private let program: OwnProgram
    private let environment: [String: String]
    private let launcher: any ProcessLauncher
    private let clock: any ServiceClock
    private let logger: Logger

    private struct State {
        /// The process of a child that could not be ended and still waits for the disk.
        var stuck: Int32?
        var pruner: ChildHandle?
        var isOver = false
    }
    private let state = Mutex(State())

    /// The pause from the end of a pruning child to the start of the next one.
    private static let pause = Duration.seconds(5)

    init(_ folder: String, name: String, context: ServiceContext, logger: Logger) {
        self.folder = folder
        self.name = name
        program = OwnProgram(context)
        environment = context.environment
        launcher = context.launcher
        clock = context.clock
        self.logger = logger
    }

    /// Checks the folder and returns the number of the recording that begins now. A disk that is full, read only or
    /// missing is a problem of this target alone, which is retried.
    func take() async throws(StartError) -> Int {
        let (status, answer) = await ask(.take)
        switch status {
        case .exited(0):
            if let take = Int(answer) { return take }
            throw StartError("target \(name) cannot look at the folder \(folder): the answer makes no sense")
        case .exited where !answer.isEmpty:
            throw StartError(answer)
        case .exited(let code):
            throw StartError("target \(name) cannot look at the folder \(folder): its process ends with \(code)")
        case .notStarted(let reason):
            throw StartError("target \(name) cannot look at the folder \(folder): \(reason)")
        case .signalled, .abandoned:
            throw StartError("target \(name) needs the folder \(folder), whose disk does not answer")
        }
    }

    /// Removes the empty files that a full disk left.
    func tidy(take: Int) async { _ = await ask(.tidy(take: take)) }

    /// Flushes and prunes the segments, until the task is cancelled or ``endPruning()``.
    func prune(most: Int64?) async {
        var isLogged = false
        while true {
            if !isStuck, let exit = await runPruner(most: most), !exit.asked, !isLogged {
                isLogged = true
                let last = exit.log.last(1).joined()
                logger.warning(
                    "the process that prunes the recording's folder ended, restarting it",
                    metadata: ["status": "\(exit.status)", "last": "\(last)"])
            }
            guard !state.withLock(\.isOver) else { return }
            guard await (try? clock.sleep(for: Self.pause)) != nil else { return }
        }
    }

    /// Ends the pruning child, or leaves it to the kernel if it cannot be ended. Does not wait.
    func endPruning() {
        let pruner = state.withLock { state in
            state.isOver = true
            return state.pruner
        }
        pruner?.stop(.now)
    }

    // MARK: Children

    private func command(_ task: RecordingTask) -> FFmpegCommand {
        FFmpegCommand(role: .trial, arguments: task.arguments(folder: folder, name: name))
    }

    private func runPruner(most: Int64?) async -> ChildExit? {
        let child = ChildHandle()
        let isOver = state.withLock { state in
            state.pruner = child
            return state.isOver
        }
        guard !isOver else { return nil }
        let started = BoundedChild.Started()
        let exit = await withTaskCancellationHandler {
            await launcher.run(
                command(.keep(most: most)), binary: program.binary, stdin: nil, stdout: nil, environment: environment,
                handle: child, consumesLine: nil
            ) { event in
                if case .started(let pid) = event { started.pid = pid }
            }
        } onCancel: {
            child.stop(.now)
        }
        note(exit, of: started.pid)
        return exit
    }

    /// Runs a child for one task.
    ///
    /// - Returns: How the child ended, and its answer. ``ChildStatus/abandoned`` without a child if an earlier one
    ///   still waits for the disk: the next one would wait behind it.
    private func ask(_ task: RecordingTask) async -> (ChildStatus, answer: String) {
        if isStuck { return (.abandoned, "") }
        let answer = await program.ask(task.arguments(folder: folder, name: name))
        note(answer.exit, of: answer.pid)
        return (answer.exit.status, answer.text)
    }

    private func note(_ exit: ChildExit, of pid: Int32?) {
        guard exit.status == .abandoned else { return }
        state.withLock { $0.stuck = pid }
        logger.error(
            """
            the process that works in the recording's folder cannot be ended: the disk does not answer, left to the \
            kernel
            """)
    }

    /// Whether an earlier child waits for the disk and cannot be ended.
    private var isStuck: Bool {
        state.withLock { state in
            if let pid = state.stuck, BoundedChild.hasEnded(pid) { state.stuck = nil }
            return state.stuck != nil
        }
    }
}
