import Glibc

/// Publishes a text for node-exporter's textfile collector: mode 0644, written beside its place and renamed, so that a
/// reader sees all of one or all of another.
///
/// Everything blocks; to be called where that does no harm.
package struct StatusFile: Sendable {
    /// Ends with `.prom`.
    package let path: String
    /// The collector reads only what ends with `.prom`.
    private var temporary: String { path + ".new" }

    package init(path: String) {
        self.path = path
    }

    /// What kept a text from being published.
    package struct WriteError: Error, Sendable, Hashable, CustomStringConvertible {
        package var description: String

        package init(description: String) { self.description = description }
    }

    /// - Throws: ``WriteError``; what was published before stands.
    package func write(_ text: [UInt8]) throws(WriteError) {
        // A pipe or a device in its place would take the text, or make us wait for somebody who does.
        let file = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
        guard file >= 0 else {
            guard errno == ENXIO || errno == ELOOP else { throw failure("cannot write") }
            throw obstacle
        }
        var about = stat()
        guard fstat(file, &about) == 0, about.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw obstacle
        }
        let isWritten = ftruncate(file, 0) == 0 && fchmod(file, 0o644) == 0 && Self.write(text, to: file)
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

    private static func write(_ text: [UInt8], to file: CInt) -> Bool {
        text.withUnsafeBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let count = Glibc.write(file, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return true
        }
    }

    /// Takes the file away: the service has ended, and old figures would be lies.
    package func remove() {
        unlink(path)
    }

    private var obstacle: WriteError {
        WriteError(
            description: "cannot write the metrics file \(path): \(temporary) is in the way and no file; remove it")
    }

    private func failure(_ what: String) -> WriteError {
        let reason = errno
        let mend =
            switch reason {
            case ENOENT, ENOTDIR: "make its folder"
            case EACCES, EPERM, EROFS: "make its folder writable for the service's user"
            case ENOSPC, EDQUOT: "free some room"
            default: "see to its file system"
            }
        return WriteError(
            description:
                """
                \(what) the metrics file \(path): \(String(cString: strerror(reason))); \(mend), or choose another \
                place with status.file
                """
        )
    }
}
