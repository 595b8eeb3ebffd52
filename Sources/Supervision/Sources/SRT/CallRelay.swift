import DataPath
import FFmpeg
import Glibc
import Logging
import Synchronization
import SystemPackage

/// Runs the two processes of an SRT source. One holds the connection and writes the caller's stream to a pipe; the
/// other, the reader, converts it to the MPEG-TS of the feed. The reader can be replaced while the caller stays: the
/// stream waits in the pipe meanwhile, and then in SRT's own buffer.
final class CallRelay: Sendable {
    private struct State {
        /// The process that reads the pipe.
        var reader: ChildHandle?
        /// Whether another reader follows at once.
        var isReplaced = false
        /// Whether the caller has gone, and no more bytes arrive in the pipe.
        var isOver = false
    }

    private let clock: any ServiceClock
    private let logger: Logger
    /// The first and the longest pause before a reader that ended by itself is followed by another one.
    private let pauses: ClosedRange<Duration>
    private let state = Mutex(State())

    /// How many readers in a row may end by themselves while the caller is connected.
    private static let mostFailures = 6
    /// A reader that ran for so long resets the count.
    private static let steady = Duration.seconds(30)
    /// How long a reader may take for the rest of the pipe.
    private static let endPatience = Duration.seconds(2)

    init(
        clock: any ServiceClock = ContinuousClock(), logger: Logger,
        pauses: ClosedRange<Duration> = Duration.milliseconds(250)...Duration.seconds(2)
    ) {
        self.clock = clock
        self.logger = logger
        self.pauses = pauses
    }

    /// Replaces the reader; the next one continues the caller's stream.
    func replaceReader() {
        state.withLock { state in
            guard let reader = state.reader else { return }
            state.isReplaced = true
            reader.stop(.now)
        }
    }

    /// Runs until the caller has gone and its stream has been read.
    ///
    /// - Parameters:
    ///   - call: Runs the process that holds the connection, with this standard output. It calls `admit` once the
    ///     caller may be read.
    ///   - hangUp: Ends that process.
    ///   - read: Runs the next reader, with this standard input.
    /// - Returns: How the process ended that held the connection.
    /// - Throws: The error that `read` throws, or ``DescriptorError``.
    func run(
        call: @escaping @Sendable (FileDescriptor, _ admit: @escaping @Sendable () -> Void) async -> ChildExit,
        hangUp: @escaping @Sendable () -> Void,
        read: @escaping @Sendable (ChildHandle, FileDescriptor) async throws -> ChildExit
    ) async throws -> ChildExit {
        let (reading, writing) = try DataPath.pipe()
        // Open for as long as the call lasts: it keeps the bytes while no process reads.
        defer { try? reading.close() }
        state.withLock { $0 = State() }
        let (admissions, admission) = AsyncStream<Void>.makeStream()
        async let readers: Void = self.readers(of: reading, from: admissions, hangUp: hangUp, read: read)
        let exit = await call(writing) {
            admission.yield()
            admission.finish()
        }
        state.withLock { $0.isOver = true }
        admission.finish()
        let limit = Task { [self] in
            guard (try? await clock.sleep(for: Self.endPatience)) != nil else { return }
            state.withLock(\.reader)?.stop(.now)
        }
        defer { limit.cancel() }
        try await readers
        return exit
    }

    private func readers(
        of pipe: FileDescriptor, from admissions: AsyncStream<Void>, hangUp: @Sendable () -> Void,
        read: @Sendable (ChildHandle, FileDescriptor) async throws -> ChildExit
    ) async throws {
        var isAdmitted = false
        for await _ in admissions { isAdmitted = true }
        guard isAdmitted else { return }
        var failures = 0
        while true {
            let handle = ChildHandle()
            let began = clock.now
            state.withLock { ($0.reader, $0.isReplaced) = (handle, false) }
            do {
                _ = try await read(handle, try Self.copy(of: pipe))
            } catch {
                hangUp()
                throw error
            }
            let (isReplaced, isOver) = state.withLock { state in
                state.reader = nil
                return (state.isReplaced, state.isOver)
            }
            if isReplaced, !isOver {
                failures = 0
                continue
            }
            failures = clock.now - began > Self.steady ? 1 : failures + 1
            // Most often the caller has gone, which is known in a moment.
            if await hasEnded(pipe, within: min(pauses.lowerBound * (1 << (failures - 1)), pauses.upperBound)) {
                return
            }
            guard failures < Self.mostFailures else {
                logger.warning("the stream of the SRT caller cannot be read: it is disconnected")
                return hangUp()
            }
        }
    }

    private func hasEnded(_ pipe: FileDescriptor, within limit: Duration) async -> Bool {
        let end = clock.now + limit
        while clock.now < end {
            if state.withLock(\.isOver) || Self.isDone(pipe) { return true }
            guard (try? await clock.sleep(for: .milliseconds(10))) != nil else { return true }
        }
        return state.withLock(\.isOver)
    }

    /// Whether no process writes to the pipe now, and it is empty.
    private static func isDone(_ pipe: FileDescriptor) -> Bool {
        var state = pollfd(fd: pipe.rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLHUP) != 0 && state.revents & Int16(POLLIN) == 0
    }

    private static func copy(of descriptor: FileDescriptor) throws -> FileDescriptor {
        let copy = fcntl(descriptor.rawValue, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: copy)
    }
}
