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

    /// How long a disk may take to answer, and how long a child that is at work: a machine may be slow.
    private static let patience = Duration.seconds(7)
    private static let longest = Duration.seconds(30)
    /// Bytes of an answer: a number, or a sentence with a path.
    private static let answerLimit = 8192

    init(_ box: Box) {
        binary = FFmpegBinary(path: box.program, capabilities: box.ffmpeg.capabilities)
        environment = box.environment
    }

    /// What a child answered on standard output.
    struct Answer: Sendable {
        var exit: ChildExit
        var text = ""
        /// The child; `nil` where none was started.
        var pid: Int32?
    }

    /// Runs a hidden command to its end, or until its time is over.
    func ask(_ arguments: [String]) async -> Answer {
        func failed(_ reason: String) -> Answer {
            let status = ChildStatus.notStarted(reason: reason)
            return Answer(exit: ChildExit(status: status, asked: false, cause: .notStarted, log: LogExcerpt()))
        }
        let file = FileDescriptor(rawValue: memfd_create("answer", 1 /* MFD_CLOEXEC */))
        guard file.rawValue >= 0 else { return failed("no memory for an answer") }
        defer { try? file.close() }
        guard let end = try? file.duplicate() else { return failed("no descriptor for an answer") }
        let started = BoundedChild.Started()
        let (exit, _) = await BoundedChild.run(
            FFmpegCommand(role: .trial, arguments: arguments), binary: binary, stdout: end, environment: environment,
            limit: Self.patience, extended: Self.longest, started: { started.pid = $0 })
        var bytes = [UInt8](repeating: 0, count: Self.answerLimit)
        let count = bytes.withUnsafeMutableBytes { (try? file.read(fromAbsoluteOffset: 0, into: $0)) ?? 0 }
        var answer = Answer(exit: exit, text: String(decoding: bytes.prefix(count), as: UTF8.self), pid: started.pid)
        if answer.text.last == "\n" { answer.text.removeLast() }
        return answer
    }
}
