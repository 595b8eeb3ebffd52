import CLinux
import FFmpeg
import Glibc
import SystemPackage

/// The service's own program, run again for what may hang with a disk.
///
/// A thread that waits for a disk in the kernel keeps its process from ending: the service leaves such waits to
/// children.
struct OwnProgram: Sendable {
    /// No FFmpeg, but run with the same care.
    let binary: FFmpegBinary
    private let environment: [String: String]

    /// How long a disk may take to answer a child.
    struct Patience: Sendable, Hashable {
        /// For one that does nothing meanwhile.
        var usual: Duration
        /// For one that is at work: a machine may be slow.
        var longest: Duration

        /// The folder of a recording is on a disk that is written to all the time.
        static let recording = Patience(usual: .seconds(7), longest: .seconds(30))
    }

    /// Bytes of an answer: a number, or a sentence with a path.
    private static let answerLimit = 8192

    init(_ context: ServiceContext) {
        self.init(path: context.program, capabilities: context.ffmpeg.capabilities, environment: context.environment)
    }

    /// - Parameter capabilities: Those of any FFmpeg; they are not used.
    init(path: String, capabilities: FFmpegCapabilities, environment: [String: String]) {
        binary = FFmpegBinary(path: path, capabilities: capabilities)
        self.environment = environment
    }

    /// What a child answered on standard output.
    struct Answer: Sendable {
        var exit: ChildExit
        var bytes: [UInt8] = []
        /// The child; `nil` where none was started.
        var pid: Int32?

        var text: String { OwnProgram.text(bytes) }
    }

    /// An answer as a text, without the line break at its end.
    static func text(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.last == "\n" ? String(text.dropLast()) : text
    }

    /// Runs a hidden command to its end, or until its time is over.
    ///
    /// - Parameters:
    ///   - input: For its standard input.
    ///   - most: Bytes of its answer that are read.
    ///   - variables: For its environment, over what every child gets.
    func ask(
        _ arguments: [String], input: [UInt8]? = nil, most: Int = Self.answerLimit, variables: [String: String] = [:],
        patience: Patience = .recording
    ) async -> Answer {
        func failed(_ reason: String) -> Answer {
            let status = ChildStatus.notStarted(reason: reason)
            return Answer(exit: ChildExit(status: status, asked: false, cause: .notStarted, log: LogExcerpt()))
        }
        guard let file = Self.memory(holding: []) else { return failed("no memory for an answer") }
        defer { try? file.close() }
        guard let output = try? file.duplicate() else { return failed("no descriptor for an answer") }
        var given: FileDescriptor?
        if let input {
            given = Self.memory(holding: input)
            guard given != nil else {
                try? output.close()
                return failed("no memory for what it is given")
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
    ///   - input: Its standard input, closed on every path.
    ///   - output: Likewise.
    func run(
        _ arguments: [String], input: FileDescriptor, output: FileDescriptor, handle: ChildHandle
    ) async -> ChildExit {
        await ChildProcess.run(
            FFmpegCommand(role: .trial, arguments: arguments), binary: binary, stdin: input, stdout: output,
            environment: environment, handle: handle
        ) { _ in }
    }

    /// A file in memory, to be read from its beginning.
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
