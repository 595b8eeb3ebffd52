import CLinux
import FFmpeg
import Glibc
import SystemPackage

/// The service's own program, started again for work that may hang with a disk.
///
/// A thread that waits for a disk in the kernel keeps its process from ending, so the service leaves such waits to
/// children.
struct OwnProgram: Sendable {
    /// The service's program, not an FFmpeg. The type is the same because children of both run in the same way.
    let binary: FFmpegBinary
    private let environment: [String: String]

    /// How long a disk may take to answer a child.
    struct Patience: Sendable, Hashable {
        /// For a child that does not use the processor.
        var usual: Duration
        /// For a child that uses the processor, because the machine may be slow.
        var longest: Duration

        /// For the folder of a recording, whose disk is written to all the time.
        static let recording = Patience(usual: .seconds(7), longest: .seconds(30))
    }

    /// The most bytes of an answer: a number, or a sentence with a path.
    private static let answerLimit = 8192

    init(_ context: ServiceContext) {
        self.init(path: context.program, capabilities: context.ffmpeg.capabilities, environment: context.environment)
    }

    /// - Parameter capabilities: The capabilities of any FFmpeg. They are not used, but an `FFmpegBinary` has some.
    init(path: String, capabilities: FFmpegCapabilities, environment: [String: String]) {
        binary = FFmpegBinary(path: path, capabilities: capabilities)
        self.environment = environment
    }

    /// A child's answer on standard output.
    struct Answer: Sendable {
        var exit: ChildExit
        var bytes: [UInt8] = []
        /// The child's process id. `nil` if none was started.
        var pid: Int32?

        var text: String { OwnProgram.text(bytes) }
    }

    /// An answer as text, without the final line break.
    static func text(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.last == "\n" ? String(text.dropLast()) : text
    }

    /// Runs a hidden command until it ends or its time is over.
    ///
    /// - Parameters:
    ///   - input: The data for its standard input.
    ///   - most: The most bytes of its answer that are read.
    ///   - variables: Variables added to the environment that every child gets.
    func ask(
        _ arguments: [String], input: [UInt8]? = nil, most: Int = Self.answerLimit, variables: [String: String] = [:],
        patience: Patience = .recording
    ) async -> Answer {
        func failed(_ reason: String) -> Answer {
            let status = ChildStatus.notStarted(reason: reason)
            return Answer(exit: ChildExit(status: status, asked: false, cause: .notStarted, log: LogExcerpt()))
        }
        guard let file = Self.memory(holding: []) else { return failed("no memory is left for its answer") }
        defer { try? file.close() }
        guard let output = try? file.duplicate() else { return failed("no file descriptor is left for its answer") }
        var given: FileDescriptor?
        if let input {
            given = Self.memory(holding: input)
            guard given != nil else {
                try? output.close()
                return failed("no memory is left for its input")
            }
        }
        let started = BoundedChild.Started()
        let (exit, _) = await BoundedChild.run(
            FFmpegCommand(role: .trial, arguments: arguments, environment: variables), binary: binary,
            stdin: given, stdout: output, environment: environment, limit: patience.usual,
            extended: patience.longest, started: { started.pid = $0 })
        return Answer(exit: exit, bytes: Self.contents(of: file, most: most), pid: started.pid)
    }

    /// Runs a hidden command until it ends or is stopped.
    ///
    /// - Parameters:
    ///   - input: Its standard input. It is closed on every path.
    ///   - output: Its standard output. It is closed on every path.
    func run(
        _ arguments: [String], input: FileDescriptor, output: FileDescriptor, handle: ChildHandle
    ) async -> ChildExit {
        await ChildProcess.run(
            FFmpegCommand(role: .trial, arguments: arguments), binary: binary, stdin: input, stdout: output,
            environment: environment, handle: handle
        ) { _ in }
    }

    /// Creates a file in memory, to be read from its beginning.
    private static func memory(holding bytes: [UInt8]) -> FileDescriptor? {
        let file = FileDescriptor(rawValue: memfd_create("exchange", UInt32(MFD_CLOEXEC)))
        guard file.rawValue >= 0 else { return nil }
        guard (try? file.writeAll(bytes)) != nil, (try? file.seek(offset: 0, from: .start)) != nil else {
            try? file.close()
            return nil
        }
        return file
    }

    private static func contents(of file: FileDescriptor, most: Int) -> [UInt8] {
        guard let size = try? file.seek(offset: 0, from: .end), size > 0 else { return [] }
        let wanted = min(Int(size), most)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(wanted)
        var piece = [UInt8](repeating: 0, count: min(wanted, 1 << 20))
        while bytes.count < wanted {
            let count = piece.withUnsafeMutableBytes { buffer in
                (try? file.read(fromAbsoluteOffset: Int64(bytes.count), into: buffer)) ?? 0
            }
            guard count > 0 else { break }
            bytes += piece.prefix(min(count, wanted - bytes.count))
        }
        return bytes
    }
}
