import CLinux
import Glibc
import SystemPackage

/// A ``SecretFile`` for one process: a pipe with the contents, on the standard descriptor that carries no media.
struct SecretPipe {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The end of the pipe for the child's standard input. `nil` if the secret goes elsewhere.
    let input: FileDescriptor?
    /// The end of the pipe for the child's standard output. FFmpeg reads it like a file, and writes nothing to it.
    /// `nil` if the secret goes elsewhere.
    let output: FileDescriptor?
    /// The path that FFmpeg opens.
    let path: String

    /// - Parameter ends: Closes the pipe once the child has it.
    init(_ file: SecretFile, ends: ChildEnds, isInputTaken: Bool, isOutputTaken: Bool) throws(Failure) {
        guard !isInputTaken || !isOutputTaken else {
            throw Failure(description: "no descriptor is left to pass its secret: standard input and output are in use")
        }
        var pipe: [CInt] = [-1, -1]
        guard pipe2(&pipe, O_CLOEXEC) == 0 else {
            throw Failure(description: "the pipe for its secret could not be created: \(Errno(rawValue: errno))")
        }
        ends.add(FileDescriptor(rawValue: pipe[0]))
        defer { Glibc.close(pipe[1]) }
        _ = fcntl(pipe[1], F_SETFL, O_NONBLOCK)
        var contents = file.contents
        let count = contents.withUTF8 { Glibc.write(pipe[1], $0.baseAddress, $0.count) }
        guard count == contents.utf8.count else {
            throw Failure(description: "its address and secret are longer than a pipe holds: use shorter ones")
        }
        input = isInputTaken ? nil : FileDescriptor(rawValue: pipe[0])
        output = isInputTaken ? FileDescriptor(rawValue: pipe[0]) : nil
        path = isInputTaken ? "/dev/fd/1" : "/dev/fd/0"
    }
}
