import Foundation
import Synchronization

/// A real program in a session of its own. It is killed with its whole process group when its scope ends, and it ends
/// with the test process.
///
/// Get one from `withProgram`, `Stage.program` or `TestProcess.run`. Each of them ends it.
package final class TestProcess: Sendable, CustomStringConvertible {
    package enum Ending: Sendable, Hashable {
        case exited(Int32)
        case signalled(Int32)
    }

    package enum Input: Sendable {
        case none
        /// Bytes that are written as the program reads. Then its input ends.
        case bytes([UInt8])
        /// A pipe for `write(_:)` and `closeInput()`.
        case pipe
        /// A descriptor above 2 that the caller owns and may close once the program has started.
        case descriptor(Int32)
    }

    package enum Output: Sendable {
        case lines
        case bytes(limit: Int)
        case descriptor(Int32)
    }

    package let description: String
    package let pid: Int32
    package let started: ContinuousClock.Instant
    /// Standard output.
    package let output: Transcript
    /// Standard error, always as lines.
    package let errors: Transcript

    private struct State {
        var reaped = false
        /// Whether the number of the process group still belongs to it: until its leader is reaped, and then while it
        /// has a member.
        var ownsGroup = true
        var ending: Ending?
        var input: Int32 = -1
    }
    private let state: Mutex<State>
    private let readers: [PipeReader]
    private let done = DispatchGroup()

    // MARK: Start

    static func start(
        _ name: String, _ arguments: [String] = [], environment: [String: String?] = [:],
        folder: String? = nil, input: Input = .none, output: Output = .lines
    ) async throws -> TestProcess {
        var words = [try Self.find(name)] + arguments
        // setpriv ends the program if the test process is killed. It replaces itself with the program, so the pid
        // stays.
        if let guardian = try? Self.find("setpriv") {
            words = [guardian, "--pdeathsig", "KILL", "--"] + words
        }
        var variables = ProcessInfo.processInfo.environment
        for (key, value) in environment { variables[key] = value }

        var ends = ChildEnds()
        defer { ends.closeOurs() }
        let childInput = try ends.input(input)
        let (outputs, childOutput) = try ends.output(output)
        let (errors, childErrors) = try ends.transcript(.lines(keep: 20_000))

        let pid: Int32
        do {
            pid = try await Spawner.shared.spawn(
                .init(
                    path: words[0], arguments: words,
                    environment: variables.map { "\($0.key)=\($0.value)" }, folder: folder,
                    descriptors: [childInput, childOutput, childErrors]))
        } catch {
            for reader in ends.readers { reader.discard() }
            if ends.feed >= 0 { close(ends.feed) }
            throw error
        }
        let program = TestProcess(
            name: name, pid: pid, output: outputs, errors: errors, readers: ends.readers, feed: ends.feed)
        if case .bytes(let bytes) = input {
            Thread.detachNewThread {
                try? program.writeNow(bytes)
                program.closeInput()
            }
        }
        return program
    }

    /// The descriptors of a program that is about to start.
    private struct ChildEnds {
        /// The child's ends of pipes and files, which this process closes once the program has its own copies.
        private var ours: [Int32] = []
        /// The end through which the program's input is written; -1 for none.
        private(set) var feed: Int32 = -1
        private(set) var readers: [PipeReader] = []

        func closeOurs() { for end in ours { close(end) } }

        mutating func input(_ input: Input) throws -> Int32 {
            switch input {
            case .none:
                let end = open("/dev/null", O_RDWR | O_CLOEXEC)
                ours.append(end)
                return end
            case .descriptor(let end): return end
            case .bytes, .pipe:
                let ends = try Self.pipe()
                ours.append(ends.read)
                feed = ends.write
                return ends.read
            }
        }

        mutating func output(_ output: Output) throws -> (Transcript, Int32) {
            switch output {
            case .descriptor(let end): (Transcript(.lines(keep: 1)), end)
            case .lines: try transcript(.lines(keep: 20_000))
            case .bytes(let limit): try transcript(.bytes(limit: limit))
            }
        }

        /// Makes a pipe whose bytes become a transcript.
        mutating func transcript(_ kind: Transcript.Kind) throws -> (Transcript, Int32) {
            let transcript = Transcript(kind)
            let ends = try Self.pipe()
            ours.append(ends.write)
            readers.append(PipeReader(ends.read, into: transcript))
            return (transcript, ends.write)
        }

        private static func pipe() throws -> (read: Int32, write: Int32) {
            var ends: [Int32] = [0, 0]
            guard Glibc.pipe(&ends) == 0 else { throw Failed("no pipe: \(errnoText())") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], ends[1])
        }
    }

    private init(
        name: String, pid: Int32, output: Transcript, errors: Transcript, readers: [PipeReader],
        feed: Int32
    ) {
        description = "\(name)[\(pid)]"
        self.pid = pid
        self.output = output
        self.errors = errors
        self.readers = readers
        started = .now
        state = Mutex(State(input: feed))
        done.enter()
        for reader in readers { reader.start() }
        Thread.detachNewThread { [self] in reap() }
    }

    private static func find(_ name: String) throws -> String {
        if name.contains("/") { return name }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        // nginx is in sbin, which is not in every user's PATH.
        for folder in folders.map(String.init) + ["/usr/sbin", "/sbin"]
        where access("\(folder)/\(name)", X_OK) == 0 {
            return "\(folder)/\(name)"
        }
        throw Failed("\(name) is not installed: run scripts/install-dependencies test")
    }

    private func reap() {
        var info = siginfo_t()
        // WNOWAIT does not reap: no other process can get the pid meanwhile, so no signal reaches a wrong process.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        var status: Int32 = 0
        let others = Leftovers.members(ofGroup: pid).contains { $0.pid != pid }
        state.withLock {
            $0.ownsGroup = others
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            $0.reaped = true
        }
        // The last lines are read before the ending is set. A grandchild that keeps the pipe open may delay it by a
        // second.
        let limit = DispatchTime.now() + .seconds(1)
        for reader in readers { reader.finish(by: limit) }
        let code = status & 0x7F
        state.withLock {
            $0.ending = code == 0 ? .exited((status >> 8) & 0xFF) : .signalled(code)
        }
        closeInput()
        done.leave()
    }

    // MARK: While it runs

    /// How the program has ended; nil while it runs.
    package var ending: Ending? { state.withLock(\.ending) }

    package var isRunning: Bool { ending == nil }

    /// Sends a signal to the program alone or to its whole group. Does nothing if no process is left.
    package func send(_ signal: Int32, toGroup: Bool = false) {
        state.withLock {
            if toGroup ? $0.ownsGroup : !$0.reaped { kill(toGroup ? -pid : pid, signal) }
        }
    }

    /// Waits until the program has ended and its output has been read.
    @discardableResult
    package func wait(
        _ limit: Duration = .seconds(10), file: String = #fileID, line: Int = #line
    ) async throws -> Ending {
        do {
            return try await eventually(
                "\(self) to end", within: limit, every: .milliseconds(5), file: file, line: line
            ) { ending }
        } catch let error as WaitedInVain {
            throw WaitedInVain(
                what: error.what, limit: error.limit, place: error.place,
                seen: errors.lines.last?.text)
        }
    }

    /// Sends SIGINT as Control-C does, and waits for the end.
    @discardableResult
    package func interrupt(_ limit: Duration = .seconds(10)) async throws -> Ending {
        send(SIGINT)
        return try await wait(limit)
    }

    /// Writes to the standard input of a program that was started with `.pipe`, as fast as it reads.
    package func write(_ bytes: [UInt8]) async throws {
        try await onOwnThread { [self] in try writeNow(bytes) }
    }

    package func closeInput() {
        let end = state.withLock { state in
            defer { state.input = -1 }
            return state.input
        }
        if end >= 0 { close(end) }
    }

    private func writeNow(_ bytes: [UInt8]) throws {
        let end = state.withLock(\.input)
        guard end >= 0 else { throw Failed("\(self) takes no input") }
        try bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = Glibc.write(end, buffer.baseAddress! + offset, buffer.count - offset)
                if count > 0 {
                    offset += count
                } else if errno != EINTR {
                    throw Failed("\(self) takes no more input: \(errnoText())")
                }
            }
        }
    }

    // MARK: End

    /// Kills the group, and returns when the program is reaped and its pipes are closed. Works in a cancelled task.
    func end() async {
        state.withLock {
            if $0.ownsGroup { kill(-pid, SIGKILL) }
        }
        await withCheckedContinuation { continuation in
            done.notify(queue: .global()) { continuation.resume() }
        }
    }

    /// The last lines of both streams, for the report of a failure; of a crashed program also its crash report.
    var tail: String {
        let lines = (output.lines + errors.lines).sorted { $0.time < $1.time }
        let crash = lines.firstIndex { line in
            ["Fatal error", "Fatal access", "Program crashed"].contains { line.text.contains($0) }
        }
        let all = lines[max(0, min(lines.count - 25, crash ?? .max))...].prefix(300)
        let state = ending.map { "\($0)" } ?? "running"
        return "── \(self), \(state)\n" + all.map { "   \($0.text)\n" }.joined()
    }
}

/// Runs `body` with a program, which is killed and reaped when `body` returns or throws.
package func withProgram<Result>(
    _ name: String, _ arguments: [String] = [], environment: [String: String?] = [:],
    folder: String? = nil, input: TestProcess.Input = .none, output: TestProcess.Output = .lines,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (TestProcess) async throws -> Result
) async throws -> Result {
    let program = try await TestProcess.start(
        name, arguments, environment: environment, folder: folder, input: input, output: output)
    do {
        let result = try await body(program)
        await program.end()
        return result
    } catch {
        await program.end()
        complain(program.tail)
        throw error
    }
}

extension TestProcess {
    /// The result of a program that ran to its end.
    package struct Completed: Sendable {
        package let ending: Ending
        package let output: [UInt8]
        package let errors: String
        package var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs a program to its end. Keeps up to 256 MB of its standard output.
    ///
    /// - Throws: `WaitedInVain` after the limit. An exit status is no error; `success` turns it into one.
    package static func run(
        _ name: String, _ arguments: [String] = [], environment: [String: String?] = [:],
        folder: String? = nil, input: Input = .none, within limit: Duration = .seconds(30)
    ) async throws -> Completed {
        try await withProgram(
            name, arguments, environment: environment, folder: folder, input: input,
            output: .bytes(limit: 256 << 20)
        ) {
            let ending = try await $0.wait(limit)
            return Completed(ending: ending, output: $0.output.bytes, errors: $0.errors.text)
        }
    }
}

extension TestProcess.Completed {
    /// Expects exit status 0.
    ///
    /// - Throws: `Failed` with the program's last errors for another ending.
    package func success(_ what: String) throws -> Self {
        guard ending == .exited(0) else { throw Failed("\(what): \(ending)\n\(errors.suffix(2000))") }
        return self
    }
}
