import FFmpeg
import Glibc
import Synchronization
import SystemPackage

/// Runs a child process within a time limit.
enum BoundedChild {
    /// - Parameters:
    ///   - stdin: The descriptor that becomes the child's standard input, closed on every path. `nil` means /dev/null.
    ///   - stdout: The descriptor that becomes the child's standard output, closed on every path.
    ///   - limit: The child is killed after this time, and when the task is cancelled.
    ///   - extended: The time limit for a child that still uses the processor, because the machine may be busy.
    ///   - started: Called with the process id when the child runs. It must not block.
    ///   - isDone: Whether the child has done its work, so that it can be ended. Called many times a second, so it must
    ///     be quick.
    /// - Returns: The exit of the child, and its state at the time limit. The state is `nil` if the child ended
    ///   earlier.
    static func run(
        _ command: FFmpegCommand, binary: FFmpegBinary, stdin: FileDescriptor? = nil, stdout: FileDescriptor? = nil,
        environment: [String: String],
        limit: Duration, extended: Duration? = nil, started notify: @escaping @Sendable (Int32) -> Void = { _ in },
        isDone: (@Sendable () -> Bool)? = nil,
        launcher: any ProcessLauncher = SystemProcessLauncher(), clock: any ServiceClock = ContinuousClock()
    ) async -> (exit: ChildExit, overdue: Overdue?) {
        let child = ChildHandle()
        let started = Started()
        return await withTaskGroup(of: End?.self) { tasks in
            tasks.addTask {
                await withTaskCancellationHandler {
                    .exit(
                        await launcher.run(
                            command, binary: binary, stdin: stdin, stdout: stdout, environment: environment,
                            handle: child, consumesLine: nil
                        ) {
                            guard case .started(let pid) = $0 else { return }
                            started.pid = pid
                            notify(pid)
                        })
                } onCancel: {
                    child.stop(.now)
                }
            }
            tasks.addTask {
                await wait(limit, extended: extended ?? limit, for: started, clock: clock).map { .overdue($0) }
            }
            if let isDone {
                tasks.addTask {
                    while await (try? clock.sleep(for: doneInterval)) != nil {
                        if isDone() { return .done }
                    }
                    return nil
                }
            }
            var overdue: Overdue?
            while let end = await tasks.next() {
                switch end {
                case .exit(let exit):
                    tasks.cancelAll()
                    return (exit, overdue)
                case .overdue(let how): overdue = how
                case .done, nil: break
                }
                child.stop(.now)
            }
            preconditionFailure("the child's task returns its exit")
        }
    }

    /// The process id of a child, after it has started.
    final class Started: Sendable {
        private let started = Mutex<Int32?>(nil)
        var pid: Int32? {
            get { started.withLock { $0 } }
            set { started.withLock { $0 = newValue } }
        }
    }

    private enum End: Sendable {
        case exit(ChildExit)
        case overdue(Overdue)
        case done
    }

    /// The time between two checks of a child that is over its limit.
    private static let checkInterval = Duration.seconds(1)
    /// The processor time that a child has to use between two checks. A child that uses less counts as hanging.
    private static let leastProcessorTime = Duration.milliseconds(10)
    /// The time between two calls of `isDone`.
    private static let doneInterval = Duration.milliseconds(20)

    /// Waits for the time limit.
    ///
    /// - Returns: The state of the child at the limit. `nil` if it has ended, or the task was cancelled.
    private static func wait(
        _ limit: Duration, extended: Duration, for child: Started, clock: any ServiceClock
    ) async -> Overdue? {
        let end = clock.now + extended
        guard await (try? clock.sleep(for: limit)) != nil else { return nil }
        var used = child.pid.flatMap(processorTime)
        while clock.now < end {
            guard await (try? clock.sleep(for: checkInterval)) != nil else { return nil }
            // A busy machine may not have started it yet.
            guard let pid = child.pid else { continue }
            guard !hasEnded(pid), let now = processorTime(pid) else { return nil }
            if let before = used, now - before < leastProcessorTime { return .hanging }
            used = now
        }
        return extended > limit ? .working : .hanging
    }

    /// Whether a child has ended, even if its exit has not been collected. Its processor time does not grow then.
    static func hasEnded(_ pid: Int32) -> Bool {
        var info = siginfo_t()
        return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_signo != 0
    }

    /// The processor time that a process has used. `nil` if it is gone.
    private static func processorTime(_ pid: Int32) -> Duration? {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
