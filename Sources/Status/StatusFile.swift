import Glibc

/// Publishes a text for node-exporter's textfile collector: written beside its place and renamed, so that a reader sees
/// all of one or all of another.
///
/// Everything blocks; to be called where that does no harm.
public struct StatusFile: Sendable {
    /// Ends with `.prom`.
    public let path: String
    /// The collector reads only what ends with `.prom`.
    private var temporary: String { path + ".new" }

    public init(path: String) {
        self.path = path
    }

    /// What kept a text from being published.
    public struct WriteError: Error, Sendable, Hashable, CustomStringConvertible {
        public var description: String
    }

    /// - Throws: ``WriteError``; what was published before stands.
    public func write(_ text: String) throws(WriteError) {
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { throw failure("cannot write") }
        fchmod(file, 0o644)
        var text = text
        let isWritten = text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(file, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return true
        }
        let problem = isWritten ? nil : failure("cannot write")
        // A full disk may show itself only here.
        let isClosed = close(file) == 0
        if let problem {
            unlink(temporary)
            throw problem
        }
        guard isClosed, rename(temporary, path) == 0 else {
            let problem = failure("cannot publish")
            unlink(temporary)
            throw problem
        }
    }

    /// Takes the file away: the service has ended, and old figures would be lies.
    public func remove() {
        unlink(temporary)
        unlink(path)
    }

    private func failure(_ what: String) -> WriteError {
        WriteError(description: "\(what) the metrics file \(path): \(String(cString: strerror(errno)))")
    }
}
