import FFmpeg
import Logging
import Synchronization

/// The folder of a recording, as the service looks after it: through children of its own program, each with a limit.
final class RecordingFolder: Sendable {
    private let folder: String
    private let name: String
    private let program: OwnProgram
    private let environment: [String: String]
    private let launcher: any ProcessLauncher
    private let clock: any ServiceClock
    private let logger: Logger

    private struct State {
        /// A child that could not be ended and still waits for the disk.
        var stuck: Int32?
        var keeper: ChildHandle?
        var isOver = false
    }
    private let state = Mutex(State())

    /// From the end of a child that was to keep the segments to the start of the next.
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

    /// The number of a recording that begins now, in a folder that takes files. A disk that is full, read only or not
    /// there is this target's trouble alone: it is tried again.
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

    /// Removes what a disk that became full left empty.
    func tidy(take: Int) async { _ = await ask(.tidy(take: take)) }

    /// Keeps the segments within their bound, until the task is cancelled or ``endKeeping()``.
    func keep(most: Int64?) async {
        var isTold = false
        while true {
            if !isStuck, let exit = await runKeeper(most: most), !exit.asked, !isTold {
                isTold = true
                let last = exit.log.last(1).joined()
                logger.warning(
                    "the process that looks after the recording's folder ended; it is started again",
                    metadata: ["status": "\(exit.status)", "last": "\(last)"])
            }
            guard !state.withLock(\.isOver) else { return }
            guard await (try? clock.sleep(for: Self.pause)) != nil else { return }
        }
    }

    /// Ends the keeping; what does not end is left to the kernel. Does not wait.
    func endKeeping() {
        let keeper = state.withLock { state in
            state.isOver = true
            return state.keeper
        }
        keeper?.stop(.now)
    }

    // MARK: Children

    private func command(_ task: RecordingTask) -> FFmpegCommand {
        FFmpegCommand(role: .trial, arguments: task.arguments(folder: folder, name: name))
    }

    private func runKeeper(most: Int64?) async -> ChildExit? {
        let child = ChildHandle()
        let isOver = state.withLock { state in
            state.keeper = child
            return state.isOver
        }
        guard !isOver else { return nil }
        let started = BoundedChild.Started()
        let exit = await withTaskCancellationHandler {
            await launcher.run(
                command(.keep(most: most)), binary: program.binary, stdin: nil, stdout: nil, environment: environment,
                handle: child, takes: nil
            ) { event in
                if case .started(let pid) = event { started.pid = pid }
            }
        } onCancel: {
            child.stop(.now)
        }
        note(exit, of: started.pid)
        return exit
    }

    /// - Returns: How the child ended and what it answered; ``ChildStatus/abandoned`` without one where an earlier
    ///   child still waits for the disk: the next would wait behind it.
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
            the process that looks at the recording's folder cannot be ended, because the disk does not answer; it is \
            left to \
            the kernel
            """)
    }

    /// A child waits for the disk and cannot be ended.
    private var isStuck: Bool {
        state.withLock { state in
            if let pid = state.stuck, BoundedChild.hasEnded(pid) { state.stuck = nil }
            return state.stuck != nil
        }
    }
}
