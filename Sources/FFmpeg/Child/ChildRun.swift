import Glibc
import Redaction
import Subprocess
import Synchronization
import SystemPackage

/// One run of a child process, for ``ChildProcess``.
struct ChildRun<C: Clock<Duration>>: Sendable {
    let command: FFmpegCommand
    let binary: FFmpegBinary
    let input: FileDescriptor?
    let output: FileDescriptor?
    let environment: [String: String]
    let redactor: Redactor
    let handle: ChildHandle
    let clock: C
    let consumesLine: (@Sendable (LogLine) -> Bool)?
    let onEvent: @Sendable (ChildEvent) -> Void
    /// Called with the exit of a child that does not end, or whose end Subprocess does not notice.
    let abandon: @Sendable (ChildExit) -> Void

    /// The wait between the steps of a graceful stop.
    private static var patience: Duration { .milliseconds(2500) }
    /// The most bytes that are kept of one line of stderr.
    private static var lineLimit: Int { 4096 }

    func run() async -> ChildExit {
        let ends = ChildEnds(input, output)
        defer { ends.close() }
        if handle.requested != nil { return notStarted("stopped before it was started") }

        // If descriptors run out in the middle of a start, Subprocess never reports the child's end.
        guard Self.hasDescriptors else { return notStarted("the service has no file descriptors left") }
        let began = clock.now
        let unnoticed = Mutex<Task<Void, Never>?>(nil)
        defer { unnoticed.withLock { $0?.cancel() } }
        do {
            let null = try ends.nullIfNeeded()
            // The secret goes through the descriptor that carries nothing else.
            let secret = try command.secretFile.map {
                try SecretPipe($0, ends: ends, isInputTaken: input != nil, isOutputTaken: output != nil)
            }
            let result = try await Subprocess.run(
                configuration(secret),
                // This type closes the descriptors itself, so that they are closed on every path.
                input: .fileDescriptor(input ?? secret?.input ?? null, closeAfterSpawningProcess: false),
                output: .fileDescriptor(output ?? secret?.output ?? null, closeAfterSpawningProcess: false),
                error: .sequence
            ) { execution in
                // The child has copies of its own. Open copies in the service would keep the other ends from seeing the
                // end of the stream.
                ends.close()
                let log = await attend(execution)
                let pid = execution.processIdentifier.value
                let last = log
                unnoticed.withLock { $0 = Task { await reap(pid, log: last, lasted: began.duration(to: clock.now)) } }
                return log
            }
            return exit(result.terminationStatus, log: result.closureResult, lasted: began.duration(to: clock.now))
        } catch {
            return notStarted(redactor.redacted("\(binary.path) could not be started: \(error)"))
        }
    }

    private func configuration(_ secret: SecretPipe?) -> Configuration {
        var options = PlatformOptions()
        options.createSession = true
        // Used only if Subprocess itself fails. Normally `stop` ends the child.
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        var words = [binary.path] + (secret.map { command.arguments(withSecretAt: $0.path) } ?? command.arguments)
        // Makes the kernel end the child when the service ends, even by SIGKILL. The kernel watches the thread that
        // forked, which is Subprocess's worker thread and lives as long as the process. setpriv replaces itself, so the
        // pid is FFmpeg's.
        if let setpriv = Self.setpriv { words = [setpriv, "--pdeathsig", "KILL", "--"] + words }
        return Configuration(
            executable: .path(FilePath(words[0])), arguments: Arguments(Array(words.dropFirst())),
            environment: ChildEnvironment.subprocess(
                ChildEnvironment.reduced(environment, adding: command.environment)),
            platformOptions: options)
    }

    // MARK: While it runs

    private typealias Child = Execution<FileDescriptorInput, FileDescriptorOutput, SequenceOutput>

    private func attend(_ child: Child) async -> ChildLog<C.Instant> {
        let pid = child.processIdentifier.value
        handle.runs(pid)
        defer { handle.runs(nil) }
        takePrecedence(pid)
        Self.giveWay(pid)
        onEvent(.started(pid: pid))
        return await withTaskGroup(of: ChildLog<C.Instant>?.self) { group in
            group.addTask {
                let log = await read(child)
                await Self.waitForExit(pid)
                return log
            }
            group.addTask {
                await obey(pid)
                return nil
            }
            var log = ChildLog<C.Instant>(now: clock.now)
            for await outcome in group {
                guard let outcome else { continue }
                log = outcome
                group.cancelAll()
                break
            }
            // The leader has ended but is not reaped, so the group id is still its own.
            kill(-pid, SIGKILL)
            return log
        }
    }

    /// Gives processes that only pass the stream on a higher priority than encoders, which keep every core busy, and a
    /// lower one than the data path. If the service lacks the permission, all have the same priority, which matters
    /// only on an overloaded box.
    private func takePrecedence(_ pid: pid_t) {
        switch command.role {
        case .relay, .publisher, .audioConverter:
            // The process group, because a process id sets the priority of the first thread only, and more may exist by
            // now.
            _ = setpriority(__priority_which_t(PRIO_PGRP.rawValue), id_t(pid), -5)
        case .encoder, .trial, .slate: break
        }
    }

    /// Makes the kernel end a child before the service if memory runs out, because the service restarts the child. The
    /// child inherits the unit's `OOMScoreAdjust=`, which is meant for the service alone, so this sets the value to 0.
    /// Without that setting nothing changes. No later write can lower the value again without a privilege.
    private static func giveWay(_ pid: pid_t) {
        let file = open("/proc/\(pid)/oom_score_adj", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "0", 1)
        close(file)
    }

    /// Reads stderr to its end.
    private func read(_ child: Child) async -> ChildLog<C.Instant> {
        var log = ChildLog<C.Instant>(now: clock.now)
        var splitter = LineSplitter(limit: Self.lineLimit)
        do {
            for try await buffer in child.standardError {
                for line in buffer.withUnsafeBytes({ splitter.consume($0) }) { note(line, in: &log) }
            }
        } catch {
            // stderr is not essential: the process continues, and its exit is reported as usual.
            note("stderr could not be read: \(error)", in: &log)
        }
        if let last = splitter.finish() { note(last, in: &log) }
        for event in log.finish() { onEvent(event) }
        return log
    }

    private func note(_ line: String, in log: inout ChildLog<C.Instant>) {
        if let consumesLine, consumesLine(LogLine(parsing: line)) { return }
        for event in log.consume(line, redactor: redactor, now: clock.now) { onEvent(event) }
    }

    /// Waits for stop requests and carries them out, until it is cancelled because the child has ended.
    private func obey(_ pid: pid_t) async {
        await withTaskGroup(of: Void.self) { group in
            for await request in handle.requests {
                switch request {
                case .now:
                    kill(-pid, SIGKILL)
                    group.addTask { await abandonUnlessDead(pid) }
                case .gracefully:
                    group.addTask { await stopGracefully(pid) }
                }
            }
            group.cancelAll()
        }
    }

    private func stopGracefully(_ pid: pid_t) async {
        for _ in 0..<2 {
            // The child has been killed meanwhile.
            guard handle.requested != .now else { return }
            kill(-pid, SIGINT)
            do {
                try await clock.sleep(for: Self.patience)
            } catch {
                return
            }
        }
        guard handle.requested != .now else { return }
        kill(-pid, SIGKILL)
        await abandonUnlessDead(pid)
    }

    private func abandonUnlessDead(_ pid: pid_t) async {
        // This is real time, also in a test whose clock is advanced by hand.
        let killed = ContinuousClock.now
        var watch = DeathWatch()
        while true {
            let isOver = (try? await ContinuousClock().sleep(for: DeathWatch.observationInterval)) == nil
            guard !isOver, !Self.hasEnded(pid) else { return }
            let observation = DeathWatch.waitsInKernel(pid) ? DeathWatch.Observation.waitsInKernel : .ends
            if watch.abandons(observation, after: .now - killed, isUrgent: handle.isUrgent) { break }
        }
        let exit = ChildExit(status: .abandoned, asked: true, cause: handle.blame ?? .stuck, log: LogExcerpt())
        abandon(exit)
    }

    /// Reaps a child whose end Subprocess does not notice: if descriptors ran out while the child was started,
    /// Subprocess has none to watch it with, and would wait forever.
    private func reap(_ pid: pid_t, log: ChildLog<C.Instant>, lasted: Duration) async {
        guard (try? await ContinuousClock().sleep(for: Self.noticePatience)) != nil else { return }
        var info = siginfo_t()
        guard waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG) == 0, info._sifields._sigchld.si_pid == pid else {
            return
        }
        let number = info._sifields._sigchld.si_status
        abandon(exit(info.si_code == CLD_EXITED ? .exited(number) : .signaled(number), log: log, lasted: lasted))
    }

    /// How long Subprocess may take to notice the end of a child.
    private static var noticePatience: Duration { .seconds(2) }

    /// Whether the process has ended. It is not reaped.
    private static func hasEnded(_ pid: pid_t) -> Bool {
        var info = siginfo_t()
        let result = waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT)
        // The pid stays 0 while the process runs.
        return result != 0 && errno != EINTR || result == 0 && info._sifields._sigchld.si_pid == pid
    }

    /// Waits until the process ends. stderr usually ends at the same time, but may end earlier. The process is not
    /// reaped.
    private static func waitForExit(_ pid: pid_t) async {
        var pause = Duration.milliseconds(1)
        while true {
            if hasEnded(pid) { return }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(50))
        }
    }

    // MARK: The end

    private func exit(_ status: TerminationStatus, log: ChildLog<C.Instant>, lasted: Duration) -> ChildExit {
        let end: ChildStatus =
            switch status {
            case .exited(let code): .exited(code)
            case .signaled(let number): .signalled(number)
            }
        let asked = handle.requested != nil
        return ChildExit(
            status: end, asked: asked,
            cause: asked
                ? handle.blame
                : FailureClassifier.cause(
                    role: command.role, status: end, log: log.excerpt, isOutputOpen: log.isOutputOpen, lasted: lasted,
                    usesDisk: command.usesDisk),
            log: log.excerpt)
    }

    /// The descriptors that a start needs for a moment, with some for other threads that open one at the same time.
    private static var neededDescriptors: Int { 16 }

    private static var hasDescriptors: Bool {
        var copies: [CInt] = []
        defer { for copy in copies { close(copy) } }
        while copies.count < neededDescriptors {
            let copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
            // A process without standard error still has descriptors.
            guard copy >= 0 else { return errno == EBADF }
            copies.append(copy)
        }
        return true
    }

    private func notStarted(_ reason: String) -> ChildExit {
        let asked = handle.requested != nil
        return ChildExit(
            status: .notStarted(reason: reason), asked: asked, cause: asked ? nil : .notStarted, log: LogExcerpt())
    }

    /// From util-linux. Without it children outlive a killed service until their pipes break.
    private static var setpriv: String? { Setpriv.path }
}

private enum Setpriv {
    static let path = ["/usr/bin/setpriv", "/bin/setpriv"].first(where: ExecutableSearch.isProgram)
}
