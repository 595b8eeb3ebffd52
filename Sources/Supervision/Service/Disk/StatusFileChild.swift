import CLinux
import FFmpeg
import Glibc
package import Status
import Synchronization
import SystemPackage

/// A metrics file that the service rewrites periodically: directly if its folder is in memory, as `/run` is, otherwise
/// through one child, which gets text after text through a pipe.
///
/// Every call blocks until the text is published, however long the disk takes, so it needs a thread of its own. That
/// thread waits for a pipe, which keeps no process from ending.
package final class StatusFileChild: Sendable {
    private struct Pipes {
        var toChild: CInt
        var fromChild: CInt
    }

    private struct State {
        /// Whether the file system is in memory, so that no child is needed. `nil` if not known yet.
        var isInMemory: Bool?
        var pipes: Pipes?
        var child: ChildHandle?
    }

    private let file: StatusFile
    private let program: OwnProgram
    private let state = Mutex(State())

    init(_ path: String, program: OwnProgram) {
        file = StatusFile(path: path)
        self.program = program
    }

    package var path: String { file.path }

    /// Publishes a text. It must not be called concurrently.
    package func write(_ text: [UInt8]) throws(StatusFile.WriteError) {
        guard let pipes = try pipes() else { return try file.write(text) }
        try exchange(StatusFileTask.header(text.count) + text, pipes)
    }

    /// Removes the file. It must not be called while a text is published.
    package func remove() {
        guard let pipes = try? pipes() else {
            if state.withLock(\.isInMemory) == true { file.remove() }
            return
        }
        try? exchange(StatusFileTask.farewell, pipes)
    }

    /// Ends the child, even if it waits for a disk. Does not wait until it has ended.
    package func end() { state.withLock(\.child)?.stop(.now) }

    // MARK: The child

    /// - Returns: `nil` if none are needed.
    private func pipes() throws(StatusFile.WriteError) -> Pipes? {
        let known = state.withLock { ($0.isInMemory, $0.pipes) }
        if known.0 == true { return nil }
        if let pipes = known.1 { return pipes }
        let pipes = try start()
        let word = try line(pipes)
        state.withLock { $0.isInMemory = word == StatusFileTask.inMemory }
        guard word == StatusFileTask.inMemory else { return pipes }
        drop()
        return nil
    }

    private func start() throws(StatusFile.WriteError) -> Pipes {
        var input: [CInt] = [-1, -1]
        var output: [CInt] = [-1, -1]
        guard pipe2(&input, O_CLOEXEC) == 0 else { throw failure(String(cString: strerror(errno))) }
        guard pipe2(&output, O_CLOEXEC) == 0 else {
            let reason = String(cString: strerror(errno))
            for end in input { close(end) }
            throw failure(reason)
        }
        let child = ChildHandle()
        let (reading, writing) = (FileDescriptor(rawValue: input[0]), FileDescriptor(rawValue: output[1]))
        let arguments = DiskTask.publish(path: path).arguments
        Task { [program] in
            _ = await program.run(arguments, input: reading, output: writing, handle: child)
        }
        let pipes = Pipes(toChild: input[1], fromChild: output[0])
        state.withLock { ($0.pipes, $0.child) = (pipes, child) }
        return pipes
    }

    /// Closes the pipes and ends the child. The next text starts another child.
    private func drop() {
        let (pipes, child) = state.withLock { state in
            defer { (state.pipes, state.child) = (nil, nil) }
            return (state.pipes, state.child)
        }
        child?.stop(.now)
        guard let pipes else { return }
        close(pipes.toChild)
        close(pipes.fromChild)
    }

    private func exchange(_ bytes: [UInt8], _ pipes: Pipes) throws(StatusFile.WriteError) {
        do {
            try FileDescriptor(rawValue: pipes.toChild).writeAll(bytes)
        } catch {
            drop()
            throw failure("the process that writes it has ended")
        }
        let answer = try line(pipes)
        guard answer.isEmpty else { throw StatusFile.WriteError(description: answer) }
    }

    /// A line of the child, without its line break.
    private func line(_ pipes: Pipes) throws(StatusFile.WriteError) -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while line.count < StatusFileTask.longestLine {
            let count = read(pipes.fromChild, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { break }
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        drop()
        throw failure("the process that writes it has ended")
    }

    private func failure(_ why: String) -> StatusFile.WriteError {
        StatusFile.WriteError(description: "cannot write the metrics file \(path): \(why)")
    }
}
