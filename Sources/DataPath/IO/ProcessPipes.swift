import EventLoop
import Glibc
import SystemPackage

/// The two pipes of a process that reads from the data path and writes to it.
struct ProcessPipes {
    private let toProcess: Pipe
    private let fromProcess: Pipe

    init(inputCapacity: CInt = Pipe.packets) throws(DescriptorError) {
        toProcess = try Pipe(capacity: inputCapacity)
        do {
            fromProcess = try Pipe()
        } catch {
            toProcess.close()
            throw error
        }
    }

    /// The end for the process's standard input.
    var processInput: FileDescriptor { FileDescriptor(rawValue: toProcess.reading) }
    /// The end for the process's standard output.
    var processOutput: FileDescriptor { FileDescriptor(rawValue: fromProcess.writing) }

    /// Watches the data path's ends, which the writer and the reader own from then on. Where the system refuses, it
    /// closes all four ends.
    func watch<Writer: PipeWriter>(
        owner: any UnitReaderDelegate, loop: EventLoop, makeWriter: (CInt) -> Writer?
    ) throws(DescriptorError) -> (Writer, PipeReader) {
        guard let writer = makeWriter(toProcess.writing) else {
            let error = DescriptorError.last("watch a pipe")
            toProcess.close()
            fromProcess.close()
            throw error
        }
        guard let reader = PipeReader(fromProcess.reading, owner: owner, loop: loop) else {
            let error = DescriptorError.last("watch a pipe")
            writer.close()
            Glibc.close(toProcess.reading)
            fromProcess.close()
            throw error
        }
        return (writer, reader)
    }

    func closeProcessEnds() {
        Glibc.close(toProcess.reading)
        Glibc.close(fromProcess.writing)
    }
}
