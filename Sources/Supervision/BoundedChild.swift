import FFmpeg
import SystemPackage

/// A child that is given so long, and no longer.
enum BoundedChild {
    /// - Parameters:
    ///   - stdout: The child's end, closed on every path; `nil` is /dev/null.
    ///   - limit: After it, and when the task is cancelled, the child is killed.
    static func run(
        _ command: FFmpegCommand, binary: FFmpegBinary, stdout: FileDescriptor? = nil, environment: [String: String],
        limit: Duration
    ) async -> (exit: ChildExit, isOverdue: Bool) {
        let child = ChildHandle()
        return await withTaskGroup(of: ChildExit?.self) { tasks in
            tasks.addTask {
                await withTaskCancellationHandler {
                    await ChildProcess.run(
                        command, binary: binary, stdin: nil, stdout: stdout, environment: environment, handle: child
                    ) { _ in }
                } onCancel: {
                    child.stop(.now)
                }
            }
            tasks.addTask {
                try? await ContinuousClock().sleep(for: limit)
                return nil
            }
            var isOverdue = false
            while let end = await tasks.next() {
                if let end {
                    tasks.cancelAll()
                    return (end, isOverdue)
                }
                isOverdue = !Task.isCancelled
                child.stop(.now)
            }
            preconditionFailure("the child's task gives its end")
        }
    }
}
